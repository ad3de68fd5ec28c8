"""Texts that somebody might send to hurt whoever reads them; every one is small, or of the size that a file may have."""
# ruff: noqa: E501 - a text that hurts is as long as it is

from typing import Final

FULL: Final = 524_288
HEAD: Final = "flow: hostile\nnodes:\n"
SOUND: Final = HEAD + "  a: {type: message, text: Hi, next: end}\n"


def filled(piece: str, before: str = "", after: str = "") -> str:
    """The piece as often as a file may hold it."""
    return before + piece * ((FULL - len(before) - len(after)) // len(piece)) + after


def numbered(line: str, count: int) -> str:
    return "".join(line.replace("#", str(number)) for number in range(count))


def laughs(opening: str = "[", closing: str = "]", levels: int = 12) -> str:
    first = f"a0: &a0 {opening}lol{closing}\n"
    return first + "".join(f"a{i}: &a{i} {opening}{', '.join([f'*a{i - 1}'] * 10)}{closing}\n" for i in range(1, levels))


WRITTEN: Final[list[str | bytes]] = [
    # nothing, and what is not text
    "", " ", "\n", "\t", "\r", "\r\n", "\ufeff", "\ufeff\ufeff", "\x00", "a\x00b", "\x07", "\x1b[2J", "\x7f", "\x85", "\u2028", "\ufffe", "\ud800", "\udfff\ud800",
    b"", b"\xff", b"\xff\xfe", b"\xfe\xff\x00a", b"\xc3", b"\xc3\x28", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\x80" * 1000, b"\x00" * FULL,
    b"\xef\xbb\xbf", b"\xef\xbb\xbf\xff", b"flow: a\x80", b"\xff" * (FULL * 4), "x" * (FULL + 1), "\u00fc" * FULL, "\U0001f4e6" * (FULL // 4),
    # scalars at the top
    "a", "5", "null", "~", "true", "1e999", "'", '"', "'a", '"a', "''", '""', "|", ">", "|\n", ">\n a", "|9", "|-1", "|x", "? ", ": ", "- ", "-", "--", "---", "...", "--- a", "%", "%YAML", "%YAML 1.1\n---\na",
    "%YAML 9.9\n---\na", "%TAG", "%TAG ! x\n---\na", "&", "*", "!", "&a", "*a", "!a", "!!", "!<", "!<a", "!<>", "@", "`", "]", "}", ",", "[", "{", "[]", "{}", "[,]", "{,}", "[[]", "{{}}", "{{ x }}", "{% x %}",
    # nesting
    "[" * 25_000, "{" * 25_000, "[" * FULL, "{" * FULL, "[{" * 10_000, "{a: " * 20_000, "[[[[a: " * 5_000, "- " * 50_000, "? " * 50_000, ": " * 50_000, "- ? " * 20_000, "!!seq " * 20_000, "[" * 64 + "]" * 64,
    "\n".join(" " * depth + "a:" for depth in range(700)), "\n".join(" " * depth + "- a:" for depth in range(0, 1400, 2)), "a: " * 10_000, "{a: [" * 40 + "]}" * 40, "]" * FULL, "}" * FULL,
    # anchors and aliases
    laughs(), laughs("{x: [", "]}"), laughs(levels=40), "a: &a *a", "&a [*a]", "&a {a: *a}", "&a {*a : b}", "a: &a\n  b: *a\n", "- &a a\n- &a [*a]\n", filled("*a,", "[&a a, ", "a]"), filled("&a ", "- ", "a"), filled("&a a,", "[", "a]"),
    "- &a " + "x" * 100_000 + "\n" + "- *a\n" * 50_000, numbered("- &a# [x]\n", 20_000), "a: &x " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*x" + "]" * 60, "<<: {a: b}", "<<: [*a]", "a: {<<: *b}", "&a <<: *a", "*a : *a",
    # keys
    "? [a]\n: b", "? {a: b}\n: c", "? |\n a\n: b", "{[a]: b}", "{{a: b}: c}", "? ? ? a", "{? a}", "{a, b, a}", ": a", "{: a}", "? \n", filled("a: b\n"), filled("a:\n"), filled("? a\n"), numbered("k#: v\n", 40_000), "a" * FULL, "a" * 2_000 + ": b", '"' + "a" * 2_000 + '": b',
    # scalars that cost
    "a: " + "9" * 5_000, "a: 0x" + "f" * 5_000, "a: 0o" + "7" * 5_000, "a: -" + "9" * 500_000, "a: 1." + "0" * 500_000, "a: 1e-" + "9" * 5_000, "a: 1e" + "9" * 5_000, "a: .inf", "a: .nan", "a: !!int " + "9" * 5_000, "a: !!float .nan",
    filled(" ", "a: |\n"), filled(" \n", "a: |\n"), filled("\n", "a: >\n"), filled("\\n", 'a: "', '"'), filled("\n", 'a: "', '"'), filled("''", "a: '", "'"), filled("a\n"), filled("#\n"), filled("# "), filled("\t", "a:"), filled("\r"), filled("\\U0001f4e6", '"', '"'), '"\\ud800"', '"\\ud83d\\udce6"', '"\\x00"', '"\\0"', '"\\U00110000"', '"\\xZZ"', '"\\',
    # lists and documents
    filled("a,", "[", "a]"), filled(",", "["), filled("[],", "[", "a]"), filled("{},", "[", "a]"), filled("- \n"), filled("---\n"), filled("...\n"), filled("--- a\n...\n"), filled("%TAG !a! b\n"), numbered("%TAG !a#! b\n", 30_000), filled("!a ", "- "), filled("!!str,", "[", "a]"), filled("~,", "[", "a]"),
    # tags that would run something elsewhere
    "!!python/object/apply:os.system [echo]", "!!python/object/new:type [x]", "!!python/name:os.system", "!!python/module:os", "a: !!python/tuple [1]", "!!js/function x", "!ruby/object:Gem {}", "!!binary aGk=", "!!timestamp x", "!!set {a}", "!!omap [a: b]",
    # flows whose parts have the wrong form
    "- flow: a", "flow", "flow: ", "flow: [a]", "flow: {a: b}", "nodes: 5", "flow: a\nnodes: [a]", "flow: a\nnodes: {a: b}", "flow: a\nnodes: {a: [b]}", "flow: a\nnodes: {a: {type: [x]}}", "flow: a\nnodes: {a: {type: null}}", "flow: a\nnodes: {a: {}}", "flow: a\nnodes: {a: null}", "flow: a\nnodes: {end: {type: end}}",
    HEAD + "  a: {type: message, text: {{ x }}, next: end}\n", HEAD + "  a: {type: choice, prompt: x, options: {a: b}}\n", HEAD + "  a: {type: form, title: x, fields: [[]], next: end}\n", HEAD + "  a: {type: switch, cases: [null], else: a}\n", HEAD + "  a: {type: set, values: [], next: a}\n",
    HEAD + "  a: &a {type: message, text: Hi, next: b}\n  b: *a\n", HEAD + "  a: &a {type: end, result: {x: *a}}\n", SOUND + "inputs: {a: {$ref: 'https://example.com/x'}}\n", SOUND + "inputs: {a: {$ref: '#'}}\n", SOUND + "inputs: {a: {$ref: 'file:///etc/passwd'}}\n", SOUND + "inputs: {a: {pattern: '(a+)+$'}}\n", SOUND + "inputs: {a: {pattern: '['}}\n", SOUND + "inputs: {a: 5}\n", SOUND + "timezone: ../../etc/passwd\n", SOUND + "timezone: /etc/localtime\n", SOUND + "timezone: ''\n", SOUND + "locale: ''\n", SOUND + "locales: [[]]\n",
    # flows that cost
    HEAD + numbered("  n#: {type: message, text: Hi, next: nowhere#}\n", 5_000), HEAD + numbered("  n#: {type: mesage#}\n", 9_000), HEAD + numbered("  n#: {zzz#: 1}\n", 9_000), SOUND + "variables:\n" + numbered("  Bad#: 1\n", 20_000),
    HEAD + "  a: {type: choice, prompt: x, options: [" + numbered("{value: v#, next: w#}, ", 6_000) + "{value: x, next: end}]}\n", HEAD + "  a: {type: choice, prompt: x, options: [" + "{value: v, next: end}, " * 6_000 + "{value: x, next: end}]}\n",
    HEAD + "  a: {type: ask, prompt: x, next: end, routes: {" + numbered("r#: x#, ", 10_000) + "z: end}}\n", HEAD + "  a: {type: message, next: end, text: {" + numbered("aa-A#: x, ", 10_000) + "en: x}}\n", HEAD + numbered("  n#: {type: message, next: end, text: {aa-A#: x}}\n", 900),
    HEAD + numbered("  n#: {type: switch, cases: [{when: 'true', next: n#}], else: n0}\n", 900), HEAD + "  a: {type: ask, prompt: x, next: end, validation: {pattern: '" + "(" * 500 + ")" * 500 + "'}}\n", HEAD + "  a: {type: ask, prompt: x, next: end, validation: {pattern: '(((x{99}){99}){99}){99}'}}\n",
    HEAD + "  a: {type: ask, prompt: x, next: end, validation: {pattern: '" + "a" * 100_000 + "'}}\n", HEAD + "  a: {type: end, result: {x: '{{ " + "(" * 5_000 + " }}'}}\n", HEAD + "  a: {type: end, result: {x: '{{ " + "-" * 50_000 + "1 }}'}}\n", HEAD + "  a: {type: end, result: {x: '{{ " + "1 + " * 50_000 + "1 }}'}}\n", HEAD + "  a: {type: end, result: {x: '" + "{{" * 50_000 + "'}}\n", HEAD + "  a: {type: end, result: {x: '" + "{{ 1 }}" * 20_000 + "'}}\n",
    HEAD + "  a: {type: end, result: {x: '{{ vars" + ".a" * 50_000 + " }}'}}\n", HEAD + "  a: {type: switch, cases: [{when: '" + "not " * 50_000 + "1', next: end}], else: end}\n",
]  # fmt: skip
