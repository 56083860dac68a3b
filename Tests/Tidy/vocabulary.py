"""Words and phrases that the project does not use, and what to write instead.

A phrase matches across line breaks and comment markers.
An underscore ends a word, so test names are checked too.
`unless` names the legitimate uses, as a pattern for the text around the match.
"""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Phrase:
    """A banned phrase: `rule` is its name in allowed.txt."""

    rule: str
    pattern: str
    instead: str
    unless: str | None = None
    # A part of a word matches too, as in `colourFor`; otherwise only whole words.
    is_part: bool = False
    # Only this phrase is looked for in the text as it is; all others in lowercase.
    is_cased: bool = False


def compile_phrase(pattern: str, *, is_part: bool = False) -> re.Pattern[str]:
    """A blank in the pattern is any blank in the text."""
    spaced = pattern.replace(" ", r"\s+")
    return re.compile(spaced if is_part else rf"(?<![A-Za-z])(?:{spaced})(?![A-Za-z])")


# Verbs that American spelling ends with -ize.
STEMS = (
    "recogn", "organ", "initial", "serial", "normal", "optim", "minim", "maxim", "summar", "author", "synchron", "capital", "custom",
    "categor", "priorit", "standard", "util", "visual", "general", "local", "special", "penal", "token", "random", "sanit", "apolog",
)  # fmt: skip

PHRASES = [
    Phrase("whoever", "whoever|whomever|whosoever", "anyone who"),
    # The user account keeps its name.
    Phrase(
        "nobody", "nobody", "no client, no process, nothing: name it",
        unless=r"[`\"'=]nobody[`\"':]?|nobody:no|as_nobody|user_nobody|\* nobody|\\0nobody|-[uo] nobody|user nobody|nobody@|nobody, nogroup",
    ),
    # "There is no such file" is English, and so is "is no longer".
    Phrase(
        "is-no", "(?:is|are|was|were|be) no", "is not a",
        unless="there (?:is|are|was|were|will be|may be|must be|can be|should be|would be|to be|could be) no|(?:is|are|was|were) there no"
        "|(?:is|are|was|were|be) no (?:longer|more|less|fewer|later|earlier|larger|smaller|better|worse|different|use)",
    ),
    Phrase("stands", "stands?|stood", "is, appears; means; replaces", unless="stand-alone|stand-in|stand by|stand out|stands out"),
    Phrase("in-force", "(?:put )?in(?:to)? force", "apply; in effect"),
    Phrase("goes-on", "goes on|go on|went on|gone on|goes_on", "continue"),
    Phrase("goes-on", "[gG]oesOn(?![a-z])|[gG]oOn(?![a-z])", "continue", is_part=True, is_cased=True),
    # Only where something really is behind another thing.
    Phrase(
        "behind", "behind|behinds", "after (time, order in a text); for, caused by",
        unless=r"behind (?:an?|the|its|one|this|that|another|each|your|our|their) (?:[\w-]+ ){0,2}"
        r"(?:router|routers|prox(?:y|ies)|reverse proxy|nat|nat64|balancer|balancers|firewall|vpn|gateway|ingress|tunnel|bridge|switch|front end|cdn)"
        r"|behind (?:nat|envoy|haproxy|nginx|traefik|caddy|proxies|firewalls)"
        r"|(?:left|leave|leaves|leaving|stay|stays|fall|falls|lag|lags) (?:[\w-]+ ){0,3}behind",
    ),
    Phrase("is-there-already", "is there already|are there already|is already there", "is a duplicate; already exists"),
    Phrase("must-be-a-text", "must be a text|must be text|be a text,|but is an?", "must be a string, got a list"),
    Phrase("time-is-over", "time is over|time was over", "timed out"),
    Phrase("as-may-be", "as many as may be|as may be|as much as may be", "too many; up to the limit"),
    Phrase("whether-well", "(?:is|was|be|all) well(?=[.,:;)]|$)|whether it is well", "healthy"),
    Phrase("mend", "mend|mends|mended|mending", "fix, repair"),
    Phrase("held-against", "held against", "compared with, checked against"),
    Phrase("for-the-time-of", "for the time of", "during"),
    Phrase("such-a-one", "such a one|such ones|such an one", "one of these; name it"),
    Phrase("to-be-had", "to be had", "available"),
    Phrase("in-vain", "in vain", "without success; failed"),
    Phrase("let-go", "lets? go of|letting go of", "release"),
    Phrase("lies-about", "l(?:ies|ying) about", "is left"),
    Phrase("goodbye", "good-?bye|good-?byes|say_?goodbye|farewell", "close_notify; QUIT; name the message"),
    Phrase("shaken", "shaken(?!anoseconds)", "after the handshake; established", is_part=True),
    Phrase("nil-where", "(?:nil|zero|empty|none|false|true|absent|null) where|where there (?:is|are) none|, where none", "nil if; if there is none"),
    Phrase("told-apart", "told apart|tell(?:s|ing)? (?:[\\w-]+ ){1,4}apart", "distinguish, distinguishes"),
    Phrase("passed-over", "(?:is|are|was|were|be) passed over", "is ignored, is skipped"),
    Phrase(
        "so-many", "so many (?:bytes|milliseconds|seconds|rounds|checks|descriptors|sockets|threads)|(?:in|for|until|at most) so many",
        "this many; `count` bytes",
    ),
    Phrase("under-way", "under way", "in progress, in flight"),
    Phrase("given-back", "give back|gives back|given back|giving back", "return, release"),
    # "A server can be told to" is English.
    Phrase("is-told", "(?:is|are|be|was|were) told(?! (?:to|not to|how|by|apart))", "gets, reports: say who sends what"),
    Phrase("beside", "beside", "next to; besides, in addition to; with"),
    Phrase("nothing-shows", "nothing (?:outside )?shows", "no condition shows that"),
    Phrase("first-word", "without a word|has the (?:first|last) word", "silently; decides"),
    Phrase(
        "archaic",
        "seldom|hitherto|anew|thereof|thereto|therein|thereupon|therewith|thereafter|hereby|herein|hereof|whereby|wherein|whereof"
        "|wherefrom|whereupon|albeit|lest|henceforth|forthwith|nought|naught|save for|whilst|amongst|unto|thus far|ere",
        "rarely, so far, of it, by which, in which, …: the everyday word",
    ),
    Phrase("callback", r"[cC]allBack|[cC]all[- ]backs\b", "callback", is_part=True, is_cased=True),
    # American spelling; `cancelled` is the name of an outcome.
    Phrase(
        "spelling",
        "behaviour|colour|neighbour|honour|favour|labour|licence|centre(?!d)|fulfil(?!l)|judgement|artefact|labelled|labelling|modelled"
        "|modelling|signalled|signalling|travelled|travelling|cancelling|channelled|analyse|analysing|defence|offence|catalyse",
        "American spelling", is_part=True,
    ),
    Phrase("spelling", "grey|programmes?|learnt|burnt|spelt|analysed|towards", "American spelling"),
    Phrase("spelling", rf"is(?:{'|'.join(f'(?<={stem}is)' for stem in STEMS)})(?:e[ds]?|ers?|ing|ations?)(?![a-z])", "-ize", is_part=True),
]  # fmt: skip

# Types with everyday words: as the whole name, or as its last word.
TYPE_NAMES = {"Line", "Talk", "Place", "Answer", "Words", "Word", "Ending", "End", "Thing", "Way", "Part", "Piece"}
TYPE_NAME_ENDINGS = ("Talk", "Surroundings", "Demands", "Goodbye", "Ending", "Words", "HandshakeLine", "Doings", "Sayings")
