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
    # calls, waits, commands and made lists of the wrong form
    SOUND + "commands: 5\n", SOUND + "commands: {a: b}\n", SOUND + "commands: [5, [], {}, null, {say: x}, {say: {a: b}, next: []}, {say: [[]], reply: 5}, {say: [null], next: {}}]\n", SOUND + "commands: &a [*a]\n", SOUND + "commands: &a [{say: [x], reply: Hi}]\non_event: *a\n", SOUND + "on_trigger: [x]\n",
    HEAD + "  a: {type: wait, any: {for: 1m}, next: end}\n", HEAD + "  a: {type: wait, any: [1m, [], null, {for: []}, {until: 5}, {name: 5}, {any: []}], routes: [], next: end}\n", HEAD + "  a: {type: wait, for: {for: {for: 1m}}, until: [], any: 5, event: {}, match: [], routes: {x: {y: z}}, remind: 5, timeout: []}\n", HEAD + "  a: {type: wait, until: '" + "9" * 10_000 + "', next: end}\n", HEAD + "  a: {type: wait, for: " + "9" * 10_000 + "w, next: end}\n",
    HEAD + "  a: {type: split, branches: [{weight: x, next: a}, {weight: '1', next: a}, {weight: true}, {weight: null}, {weight: []}, 5]}\n", HEAD + "  a: {type: split, branches: [{weight: 1e35, next: a}, {weight: 9e35, next: a}, {weight: 1e-300, next: a}, {weight: -0.0, next: a}]}\n", HEAD + "  a: {type: split, branches: {weight: 1}}\n",
    HEAD + "  a: {type: call, flow: [x], inputs: [], save: {}, on_failed: 5, on_expired: [], next: {}}\n", HEAD + "  a: {type: call, flow: a\n", HEAD + "  a: {type: call, flow: hostile, next: a, inputs: {x: {y: *x}}}\n", HEAD + "  a: {type: jump, flow: hostile, inputs: 5, next: a}\n", HEAD + "  a: {type: jump, flow: hostile}\n", HEAD + "  end: {type: call, flow: hostile, next: end}\n", HEAD + "  a: {type: call, flow: hostile, next: nowhere, on_failed: end}\n", "flow: hostile\nstart: end\nnodes:\n  a: {type: call, flow: hostile, next: a}\n", "flow: hostile\nstart: zzz\nnodes:\n  a: {type: jump, flow: hostile}\n",
    "flow: hostile\ninputs: {x: {$ref: '#'}, y: [], z: {type: 5}}\nnodes:\n  a: {type: call, flow: hostile, inputs: {x: [1], y: 2, z: 3}, next: end}\n", 'flow: hostile\ninputs: {x: {type: string}}\nnodes:\n  a: {type: call, flow: hostile, inputs: {x: "\\ud800"}, next: end}\n', 'flow: hostile\ninputs: {x: {const: "\\ud800"}}\nnodes:\n  a: {type: call, flow: hostile, inputs: {x: [18446744073709551615, 1e35, {}]}, next: end}\n',
    HEAD + "  a: {type: ask, prompt: x, options: {each: {each: {each: x}}, as: [], do: {each: x, do: []}}, next: end}\n", HEAD + "  a: {type: ask, prompt: x, options: {each: x, do: [{value: 1}]}, routes: {x: a}, default: 5, next: end}\n", HEAD + "  a: {type: choice, prompt: x, options: {each: x, as: x, do: {value: [], next: a}}, next: {each: x, do: x}}\n", HEAD + "  a: {type: form, title: x, fields: {each: x, do: {each: x, do: {type: text}}}, next: end}\n", HEAD + "  a: {type: form, title: x, fields: {do: {fields: {do: {options: {do: {options: 5}}}}}}, check: {that: x}, next: end}\n", HEAD + "  a: &a {type: form, title: x, fields: {each: x, do: {type: select, name: x, options: *a}}, next: end}\n",
    HEAD + "  a: {type: block, block: x, payload: {each: x, do: {each: x, do: {each: x, do: 1}}}, next: end}\n", HEAD + "  a: {type: block, block: x, next: end, payload: {x: " + "{each: x, do: " * 55 + "1" + "}" * 55 + "}}\n", HEAD + "  a: {type: block, block: x, next: end, payload: {x: " + "{each: x, as: '" + "i" * 5_000 + "', do: " * 25 + "1" + "}" * 25 + "}}\n", HEAD + "  a: {type: block, block: x, next: end, payload: {x: {each: null, as: null, do: null}}}\n",
    HEAD + "  a: {type: ask, prompt: x, check: [5, {that: []}, {text: []}, {that: x, text: x, field: []}], remind: [5, {after: []}, {after: 5, text: 5}], use_trigger_text: [], next: end}\n", HEAD + "  a: {type: form, title: x, fields: [5], check: [{that: 'values', text: x, field: x}], next: end}\n",
    # calls, waits, commands and made lists that cost
    "flow: hostile\ninputs: {x: {allOf: [" + "{items: {minimum: 1}}, " * 1_500 + "{}]}}\nnodes:\n" + numbered("  n#: {type: call, flow: hostile, next: end, inputs: {x: [" + "7, " * 150 + "8]}}\n", 60), "flow: hostile\ninputs: {x: {uniqueItems: true}}\nnodes:\n  n: {type: call, flow: hostile, next: end, inputs: {x: [" + numbered("#, ", 20_000) + "1]}}\n", "flow: hostile\ninputs: {x: {pattern: '(((a*)*)*)*b'}}\nnodes:\n  n: {type: call, flow: hostile, next: end, inputs: {x: " + "a" * 50_000 + "}}\n",
    HEAD + numbered("  n#: {type: call, flow: nowhere#, next: end, on_failed: n0}\n", 900), HEAD + numbered("  n#: {type: call, flow: hostile, next: n0, on_failed: n#, inputs: {x#: 1}}\n", 900), HEAD + "  s: {type: split, branches: [" + numbered("{weight: #, next: n#}, ", 900) + "]}\n" + numbered("  n#: {type: call, flow: hostile, next: s}\n", 900), HEAD + "  s: {type: split, branches: [" + numbered("{weight: #, next: w#}, ", 4_000) + "]}\n",
    SOUND + "commands: [" + numbered("{say: [w#], next: x#}, ", 2_500) + "]\n", SOUND + "commands: [{say: [" + numbered("w#, ", 15_000) + "w0], next: a}]\n", SOUND + "commands: [{say: [" + "w, " * 12_000 + "w], reply: a}]\n", "flow: hostile\ncommands: [" + numbered("{say: [w#], next: n#}, ", 900) + "]\nnodes:\n" + numbered("  n#: {type: ask, prompt: x, next: end}\n", 900),
    HEAD + "  a: {type: wait, next: end, any: [" + numbered("{name: n#, for: 1m}, ", 3_000) + "], routes: {" + numbered("r#: end, ", 1_500) + "}}\n", HEAD + "  a: {type: wait, next: end, any: [" + "{name: n, for: 1m, until: 2030-01-01}, " * 2_500 + "]}\n", HEAD + "  a: {type: ask, prompt: x, next: end, remind: [" + "{after: 9d, text: x}, " * 3_000 + "]}\n",
    HEAD + "  a: {type: form, title: x, next: end, fields: [" + numbered("{type: text, name: f#}, ", 900) + "], check: [" + numbered("{that: 'true', text: x, field: g#}, ", 900) + "]}\n", HEAD + "  a: {type: ask, prompt: x, next: end, options: {each: '[]', " + numbered("k#: v#, ", 10_000) + "do: {value: '{{ v9 }}'}}}\n", HEAD + "  a: {type: block, block: x, next: end, payload: {x: [" + "{each: '[]', as: i, do: '{{ i }}'}, " * 1_200 + "]}}\n",
]  # fmt: skip
