"""Talk with a model about a project; conversations are kept, and what the model is told is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from rubber_duck.call import Call, Delta, Progress
from rubber_duck.engines.engine import Engine, ModelOptions, Strategy, engines
from rubber_duck.engines.index import Directory
from rubber_duck.engines.mentions import Mentioned, resolve, shown, unmentioned
from rubber_duck.engines.place import ProjectFolder, at_root, within
from rubber_duck.engines.prompting import contained, ending, fenced, messages
from rubber_duck.engines.telling import BESIDE_TOKENS, as_code, told_beside
from rubber_duck.errors import InvalidInput
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Right, Scope

if TYPE_CHECKING:
    from rubber_duck.conversations.conversation import Conversation, Turn
    from rubber_duck.llm.messages import Message
    from rubber_duck.settings import Settings
    from rubber_duck.workspace.paths import Root

HISTORY_TOKENS: Final = 6_000
"""What of a conversation is told again; older turns are left out, and that is said."""

_MOST_ASKED: Final = 2_000
"""So many characters of a message are what the project is searched for."""

_MEMORY_TOKENS: Final = 400
"""What is remembered may take of a question."""

_SYSTEM: Final = """\
You are a colleague who knows the code that you are shown. Answer what is asked, shortly and in plain words. Say what
you do not know. When you show a change, show it as a search/replace block under the file's name, so that it can be
applied."""


class ChatRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to say, or what to do with conversations."""

    message: Annotated[
        str,
        Meta(
            max_length=100_000,
            description="What to say; @FILE, @FILE:LINE-LINE, @SYMBOL, @diff, @findings tell the model of them.",
            extra={"argument": True, "place": False},
        ),
    ] = ""
    conversation: Annotated[
        str,
        Meta(max_length=40, description="Which one goes on: its id, the beginning of it, or `last`; empty: a new one."),
    ] = ""
    list: Annotated[bool, Meta(description="Say nothing, and list the conversations.")] = False
    forget: Annotated[bool, Meta(description="Say nothing, and delete the named conversation.")] = False
    refresh: Annotated[bool, Meta(description="Bring the index up to date before a symbol is looked up.")] = True
    project: ProjectFolder = ""
    directory: Directory = ""


class ChatTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that the model was told: by which mention ("": it was found for the message), what, and its tokens."""

    mention: str
    what: str
    tokens: int
    shortened: bool = False


class ChatTurn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was said: by `person` or `model`, when, and what was mentioned with it."""

    number: int
    speaker: str
    text: str
    at: str
    told: tuple[str, ...] = ()
    model: str = ""


class ChatView(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation: its id, how it began, when something was last said, how many turns it has."""

    id: str
    title: str
    updated_at: str
    turns: int


class ChatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the model said, and what it was told. `missing` is what was mentioned and could not be found, and why.

    `left_out` counts older turns that had no room. Without a message `turns` is the named conversation.
    """

    conversation: str = ""
    text: str = ""
    model: str = ""
    told: tuple[ChatTold, ...] = ()
    missing: tuple[str, ...] = ()
    left_out: int = 0
    conversations: tuple[ChatView, ...] = ()
    turns: tuple[ChatTurn, ...] = ()
    note: str = ""


@engines.add
class Chat(Engine[ChatRequest, ChatAnswer]):
    """Talk with a model about a project; conversations are kept, and what the model is told is shown.

    `@FILE`, `@FILE:LINE-LINE`, `@SYMBOL`, `@diff`, `@findings` and `@findings:FILE` in a message tell the model of
    them. Nobody sees the conversations of others; what was not gone on with for thirty days is forgotten.
    """

    name: ClassVar[str] = "chat"
    request = ChatRequest
    answer = ChatAnswer
    right = Right.FILE_READ
    needs = ("workspace", "analysis", "search", "contexts", "memory", "llm", "conversations")
    strategy = Strategy.RETRIEVAL
    role = Role.CHAT
    model_options = ModelOptions(temperature=0.2, max_tokens=2048)
    timeout_s = 900.0

    async def run(self, request: ChatRequest, call: Call) -> ChatAnswer:
        """The answer; raises InvalidInput, NotFound, Denied. A model that fails is told in `note`, nothing is kept."""
        root, settings = await at_root(call, request.project, request.directory)
        scope = await within(call, root)
        kept = call.parts.conversations
        if request.list:
            return ChatAnswer(conversations=tuple(map(_view, await kept.listed(scope))))
        known = await kept.find(scope, request.conversation) if request.conversation else None
        if request.forget:
            if known is None:
                raise InvalidInput("name the conversation to forget")
            await kept.forget(scope, known.id)
            await call.parts.memory.forget_session(scope, str(known.id))
            return ChatAnswer(conversation=str(known.id), note="forgotten")
        turns = await kept.turns(scope, known.id) if known is not None else []
        if not request.message.strip():
            if known is None:
                raise InvalidInput("say something: duck chat MESSAGE")
            return ChatAnswer(conversation=str(known.id), turns=tuple(map(_turn, turns)))
        mentioned = await resolve(call, (root, settings), request.message, refresh=request.refresh)
        call.emit(Progress(0, 0, "asking the model"))
        history, left_out = _history(turns)
        beside = str(known.id) if known is not None else ""
        brief = await call.parts.memory.brief(scope, request.message, _MEMORY_TOKENS, beside=beside)
        found_beside = await self._beside(call, (root, settings), request, mentioned)
        asked = f"{_remembered(brief.text)}{as_code(found_beside)}{shown(mentioned)}\n{request.message}".lstrip("\n")
        said = await contained(lambda: self._said(call, scope, asked, history), "nothing was kept")
        told = tuple(
            ChatTold(mention=each.mention, what=each.what, tokens=each.tokens, shortened=each.is_shortened)
            for each in mentioned.told
        ) + await asyncio.to_thread(_counted, found_beside)
        found = ChatAnswer(
            conversation=str(known.id) if known is not None else "",
            told=told,
            missing=mentioned.missing,
            left_out=left_out,
            note=said.note,
        )
        if said.value is None:
            return found
        text, model, ended = said.value
        conversation = await self._keep(call, scope, known, (request.message, text, model, mentioned))
        await call.parts.memory.note(scope, str(conversation.id), request.message, text)
        return msgspec.structs.replace(found, conversation=str(conversation.id), text=text, model=model, note=ended)

    async def _beside(
        self, call: Call, place: tuple[Root, Settings], request: ChatRequest, mentioned: Mentioned
    ) -> dict[str, str]:
        """What the project has to say to the message, without what is mentioned in it."""
        from rubber_duck.context.sources import Ask  # noqa: PLC0415  # numpy beneath

        query = unmentioned(request.message)[:_MOST_ASKED]
        if not query:
            return {}
        ask = Ask(query=query, budget_tokens=BESIDE_TOKENS, is_alone=True)
        parts = await told_beside(call, place, ask, self, refresh=request.refresh)
        known = {each.mention.partition(":")[0] for each in mentioned.told}
        return {where: text for where, text in parts.items() if where.rpartition(":")[0] not in known}

    async def _keep(
        self, call: Call, scope: Scope, known: Conversation | None, said: tuple[str, str, str, Mentioned]
    ) -> Conversation:
        from rubber_duck.conversations.conversation import Speaker  # noqa: PLC0415  # as the part itself

        message, text, model, mentioned = said
        kept = call.parts.conversations
        question = kept.turn(Speaker.PERSON, message, tuple(f"@{each.mention}" for each in mentioned.told))
        answer = kept.turn(Speaker.MODEL, text, (), model)
        return await kept.said(scope, known.id if known is not None else None, question, answer)

    async def _said(self, call: Call, scope: Scope, asked: str, history: tuple[Message, ...]) -> tuple[str, str, str]:
        from rubber_duck.llm.messages import Finished, Prompt, TextDelta  # noqa: PLC0415  # only who asks a model

        system, user = messages(_SYSTEM, asked)
        options = self.model_options
        prompt = Prompt((system, *history, user), options.max_tokens, options.temperature)
        parts: list[str] = []
        model, ended = "", ""
        async with aclosing(call.parts.llm.stream(scope, Role.CHAT, prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, TextDelta):
                    parts.append(piece.text)
                    call.emit(Delta(piece.text))
                elif isinstance(piece, Finished):
                    model, ended = piece.model, ending(piece.reason, options.max_tokens)
        return "".join(parts), model or next(iter(call.parts.llm.chain(Role.CHAT)), ""), ended


def _counted(parts: Mapping[str, str]) -> tuple[ChatTold, ...]:
    """What was told though nobody mentioned it, with its tokens."""
    from rubber_duck.llm.tokens import count_tokens  # noqa: PLC0415  # its ranks

    return tuple(ChatTold(mention="", what=where, tokens=count_tokens(text)) for where, text in parts.items())


def _remembered(text: str) -> str:
    """What is remembered of the person and the project, for the model; nothing where nothing is."""
    return fenced("data", "what is remembered of this person and project", text) if text else ""


def _history(turns: list[Turn]) -> tuple[tuple[Message, ...], int]:
    """The latest turns that have room, as messages, and how many have none."""
    from rubber_duck.conversations.conversation import Speaker  # noqa: PLC0415  # as the part itself
    from rubber_duck.llm.messages import Message  # noqa: PLC0415  # only who asks a model
    from rubber_duck.llm.messages import Role as Voice  # noqa: PLC0415  # as above
    from rubber_duck.llm.tokens import count_tokens  # noqa: PLC0415  # its ranks

    told: list[Message] = []
    spent = 0
    for turn in reversed(turns):
        spent += count_tokens(turn.text)
        if spent > HISTORY_TOKENS:
            break
        told.append(Message(Voice.USER if turn.speaker is Speaker.PERSON else Voice.ASSISTANT, turn.text))
    told.reverse()
    while told and told[0].role is Voice.ASSISTANT:
        told.pop(0)  # an answer without its question
    return tuple(told), len(turns) - len(told)


def _view(each: Conversation) -> ChatView:
    at = each.updated_at.isoformat(timespec="seconds")
    return ChatView(id=str(each.id), title=each.title, updated_at=at, turns=each.turns)


def _turn(each: Turn) -> ChatTurn:
    at = each.at.isoformat(timespec="seconds")
    return ChatTurn(
        number=each.number, speaker=each.speaker.value, text=each.text, at=at, told=each.told, model=each.model
    )
