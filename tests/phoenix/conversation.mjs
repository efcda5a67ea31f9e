// The official Phoenix client, driven by one script: each line it prints is one thing that was seen.
import { Presence, Socket } from "phoenix"
import WebSocket from "ws"

const [url, key, project] = process.argv.slice(2)
const say = (name, value) => console.log(JSON.stringify([name, value]))
const connect = (authToken) => {
  const socket = new Socket(url, { transport: WebSocket, authToken, heartbeatIntervalMs: 200, reconnectAfterMs: () => 100 })
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
const there = () => presence.list().map((person) => person.metas.length)
const seen = []
channel.on("progress", (payload) => seen.push(payload.offset))
say("joined", (await asked(channel.join()))[1].name)
say("refused", await asked(socket.channel("code:00000000-0000-0000-0000-000000000000").join()))
say("not an operator", await asked(socket.channel("status:elsewhere").join()))
const [status, found] = await asked(channel.push("run", { engine: "search", request: { query: "greet" } }))
say("searched", [status, found.hits.map((hit) => hit.path)])
say("any folder", await asked(channel.push("run", { engine: "outline", request: { path: "/etc/passwd" } })))
say("no such event", await asked(channel.push("walk", {})))

const second = connect(key)
const tab = second.channel(`code:${project}`)
const heard = new Promise((done) => tab.on("cursor", (payload) => done(payload.cursor)))
const two = new Promise((done) => presence.onSync(() => there()[0] === 2 && done(there())))
await asked(tab.join())
say("two tabs", await two)
channel.push("cursor", { path: "a.py", line: 1, column: 2 })
say("cursor", await heard)
const one = new Promise((done) => presence.onSync(() => there()[0] === 1 && done(there())))
second.disconnect()
say("one tab", await one)

const again = new Promise((done) => channel.on("presence_state", () => done(true)))
socket.conn.close(4000, "cut")
say("joined again after a cut", await again)
say("still answers", (await asked(channel.push("members", {})))[0])
await new Promise((done) => setTimeout(done, 500))
say("heartbeats", socket.isConnected())
socket.disconnect()
setTimeout(() => process.exit(0), 100)
