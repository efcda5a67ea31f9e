// The official Phoenix client, driven by one script: each line it prints is one thing that was seen.
import { Presence, Socket } from "phoenix"
import WebSocket from "ws"

const [url, project, key, keyOfThird] = process.argv.slice(2)
const say = (name, value) => console.log(JSON.stringify([name, value]))
const connect = (authToken, transport = WebSocket, heartbeatIntervalMs = 30000) => {
  const socket = new Socket(url, { transport, authToken, heartbeatIntervalMs, reconnectAfterMs: () => 100 })
  socket.connect()
  return socket
}
const asked = (push) => new Promise((done) => push
  .receive("ok", (response) => done(["ok", response]))
  .receive("error", (response) => done(["error", response.code]))
  .receive("timeout", () => done(["timeout", null])))

const socket = connect(key)
const channel = socket.channel(`code:${project}`)
const presence = new Presence(channel)
const there = () => Object.fromEntries(presence.list((_, { metas }) => [metas[0].name, metas.length]).sort())
const until = (seen) => new Promise((done) => {
  const look = () => seen(there()) && done(there())
  presence.onSync(look)
  look()
})
say("joined", (await asked(channel.join()))[1].name)
say("refused", await asked(socket.channel("code:00000000-0000-0000-0000-000000000000").join()))
say("not an operator", await asked(socket.channel("status:server").join()))
const [status, found] = await asked(channel.push("run", { engine: "search", request: { query: "greet" } }))
say("searched", [status, found.hits.map((hit) => hit.path)])
say("any folder", await asked(channel.push("run", { engine: "outline", request: { path: "/etc/passwd" } })))
say("no such event", await asked(channel.push("walk", {})))

const own = socket.channel("cli:me")
const streams = []
const pieces = []
own.on("started", (payload) => streams.push(payload.stream))
own.on("delta", (payload) => pieces.push(payload))
await asked(own.join())
const [, recited] = await asked(own.push("run", { engine: "recite" }))
say("streamed", {
  started: streams.length === 1 && pieces.every((each) => each.stream === streams[0]),
  pieces: pieces.length,
  "in order": pieces.every((each, offset) => each.offset === offset),
  whole: pieces.map((each) => each.piece.text).join("") === recited.text,
})
const begun = new Promise((done) => own.on("started", done))
const running = own.push("run", { engine: "recite" })
const ended = asked(running)
await begun
own.push("cancel", { ref: running.ref })
say("cancelled", await ended)

say("bytes are no JSON", await asked(channel.push("cursor", new Uint8Array([123, 125]).buffer)))
const files = socket.channel(`project:${project}`)
await asked(files.join())
const [read, content] = await asked(files.push("file", { path: "bytes.py" }))
say("a file in bytes", [read, content instanceof ArrayBuffer ? new TextDecoder().decode(content) : content])

const second = connect(key)
const tab = second.channel(`code:${project}`)
const heard = new Promise((done) => tab.on("cursor", (payload) => done(payload.cursor)))
const two = until((people) => people.tabs === 2)
await asked(tab.join())
say("two tabs", await two)
const other = connect(keyOfThird)
const three = until((people) => people.third === 1)
await asked(other.channel(`code:${project}`).join())
say("a third", await three)
channel.push("cursor", { path: "a.py", line: 1, column: 2 })
say("cursor", await heard)
const one = until((people) => people.tabs === 1)
second.disconnect()
say("one tab", await one)
const left = until((people) => !people.third)
other.disconnect()
say("two people again", await left)

const again = new Promise((done) => channel.on("presence_state", () => done(true)))
socket.conn.close(4000, "cut")
say("joined again after a cut", await again)
say("still answers", (await asked(channel.push("members", {})))[0])

// A way on which nothing arrives any more, once it is mute: as a cable that was pulled out, nobody is told.
let isMute = false
class Mute extends WebSocket {
  send(...frame) { if (!isMute) super.send(...frame) }
}
const pulled = connect(key, Mute, 1000)
const beat = new Promise((done) => pulled.onMessage(({ topic, payload }) => topic === "phoenix" && done(payload.status)))
const kept = pulled.channel(`code:${project}`)
await asked(kept.join())
say("a heartbeat is answered", await beat)
const closed = new Promise((done) => pulled.onClose((event) => done(event.reason)))
isMute = true
say("a heartbeat that is not answered ends the connection", await closed)
const back = new Promise((done) => kept.on("presence_state", done))
isMute = false
await back
say("and it comes back", (await asked(kept.push("members", {})))[0])
pulled.disconnect()
socket.disconnect()
setTimeout(() => process.exit(0), 100)
