"""What generated flows are made of: names, texts, expressions, and answers that may fit their questions."""

from typing import Any, Final

WORDS: Final = ("red", "blue", "green", "Saint-Malo", "rock and roll", "Straße", "naïve", "42nd street", "ready, set", "A-1")
LABELS: Final = ("Scarlet", "Sky", "Grass", "The walled town", "Loud music", "The road", "Simple", "Downtown", "Go", "First of all")
NUMBERS: Final[tuple[Any, ...]] = (7, 20, 3.5, -4, 2, 1000, 0)
PEOPLE: Final = ("Ada", "Bo", "Čeněk", "D'Arcy", "名")
ITEMS: Final[tuple[dict[str, Any], ...]] = (
    {"id": "A-1", "what": "Lamp", "price": 20, "stars": 3},
    {"id": "B-22", "what": "Rug, woven", "price": 80.5, "stars": 5},
    {"id": "C-333", "what": "Cup & saucer", "price": 0, "stars": 1},
    {"id": "D-4", "what": "*Desk*", "price": 349, "stars": 4},
)
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland")

SAID: Final = ("Well", "Now then", "Let us see", "Right", "Here we go", "One moment", "Thank you", "Fine")
SAID_IN_GERMAN: Final = ("Nun", "Also", "Mal sehen", "Gut", "Los geht es", "Einen Moment", "Danke", "Schön")

SHOWN: Final = (
    "{{ vars.name }}",
    "{{ vars.count + 1 }} of {{ vars.items | length }}",
    "{{ vars.items | map('what') | join(', ') }}",
    "{{ vars.price | money('EUR') }}",
    "{{ vars.price | number(1) }}",
    "{{ now | date('long') }}",
    "{{ now | add('3d') | date('EEEE, d MMMM') }}",
    "{{ vars.day | date('short') }}",
    "{{ conversation.plan | default('no plan') }}",
    "{{ conversation.seen }}",
    "{{ trigger.text }} {{ trigger.context.page }}",
    "{{ inputs.city }}",
    "{{ inputs.amount | default(0) }}",
    "{{ vars.error.code }}",
    "{{ run.locale }} {{ run.flow }}",
    "{{ 'yes' if vars.flag else 'no' }}",
    "{{ vars.items[0].what | default('nothing') | upper }}",
    "{{ vars.name | truncate(4) ~ '!' }}",
    "{{ vars.items | tojson }}",
    "{{ vars.came | tojson }}",
    "{{ vars.words.shipped }}",
)
"""Inside texts; whatever a variable holds they print something."""

CONDITIONS: Final = (
    "vars.flag",
    "vars.count >= 3",
    "{{ vars.name == 'Ada' }}",
    "vars.items | length > 1",
    "conversation.seen is defined and conversation.seen > 2",
    "trigger.text is containing('hi')",
    "vars.name is matching('^[A-M]')",
    "inputs.city in ['Bonn', 'Ulm']",
    "vars.error is not none",
    "now < '2026-01-07'",
    "not vars.came",
)

ASSIGNED: Final[dict[str, tuple[Any, ...]]] = {
    "count": (0, 3, "{{ vars.count + 1 }}", "{{ vars.items | sum('stars') }}"),
    "name": (
        "Bo",
        "{{ vars.name | upper | truncate(20) }}",
        "{{ trigger.text | trim | truncate(30) }}",
        "{{ inputs.city | default('x') }}",
    ),
    "flag": (True, False, "{{ not vars.flag }}", "{{ vars.count is even }}"),
    "price": (9.75, "{{ [vars.price * 1.5, 900] | min }}", "{{ vars.count / 4 }}"),
    "items": (list(ITEMS[:2]), "{{ vars.items | reverse }}", "{{ vars.items | sort('price') }}", "{{ vars.items | select('stars', 5) }}"),
    "day": ("2026-02-28", "{{ now | date('yyyy-MM-dd') }}"),
    "came": ("{{ vars }}", "{{ [nodes, vars.came] }}", "{{ run.visits }}", "{{ conversation }}"),
    "conversation.plan": ("pro", "{{ vars.name }}", {"name": "{{ vars.name }}", "since": "{{ now }}"}),
    "conversation.seen": ("{{ (conversation.seen | default(0) | int) + 1 }}",),
    "riskier": (
        "{{ 10 / (vars.count - 3) }}",
        "{{ [4000000000000000000 * vars.count] }}",
        "{{ vars.items[2].price }}",
        "{{ conversation.nowhere }}",
    ),
}
"""Name to what may be assigned; the last one fails now and then."""

MADE_FROM: Final = ("vars.items", "vars.items | reverse", "{{ vars.items | sort('what') }}", "inputs.list")

INPUTS: Final[dict[str, tuple[dict[str, Any], tuple[Any, ...]]]] = {
    "city": (
        {"type": "string", "minLength": 2, "maxLength": 20, "default": "Ulm", "description": "Such as {{ this"},
        ("Bonn", "{{ vars.name ~ ' Town' }}", "{{ vars.name }}"),
    ),
    "amount": ({"type": "number", "minimum": 0}, (3, 12.5, "{{ vars.count }}", "{{ vars.price }}", "{{ vars.count - 4 }}", None)),
    "list": (
        {"type": "array", "default": list(ITEMS[:3])},
        ("{{ vars.items }}", [{"id": "Z-9", "what": "Zither", "price": 1, "stars": 2}]),
    ),
    "kind": ({"enum": ["a", "b", None]}, ("a", "{{ 'b' if vars.flag else 'a' }}")),
}
"""Name to its schema, and to what callers may pass."""

TIMEOUTS: Final = ("40s", "5m", "2h", "1d", "{{ vars.count + 2 }}m", "{{ '90s' }}")
REMINDERS: Final = ("10s", "35s", "2m", "1h", "{{ 20 }}s")
LENGTHS: Final = ("15s", "10m", "3h", "2d", "{{ vars.count }}m")
MOMENTS: Final = (
    "2026-01-05T12:00",
    "2026-01-07",
    "2020-01-01T00:00Z",
    "{{ now | add('2h') }}",
    "{{ now | add('1d') | date('yyyy-MM-dd') }}T08:00",
)

FILE: Final = {"file_id": "f-1", "url": "https://files.example/f-1", "name": "a.png", "mime": "image/png", "size": 12}
ANSWERS: Final[dict[str, tuple[Any, ...]]] = {
    "text": ("A-1", "B-22", "hello there", "x", "a longer answer of seven words altogether", "{{ 7*7 }}"),
    "textarea": ("hello there", "A-1", "two\nlines"),
    "email": ("ada@example.com", "bo@shop.example", "nobody"),
    "tel": ("+49 228 1234567", "0228/12345", "12"),
    "url": ("https://example.com/a?b=c", "http://shop.example", "example"),
    "date": ("2026-01-09", "2026-01-10", "12.1.2026", "13/1/2026", "2026-02-30"),
    "time": ("14:30", "14.30", "2:30 pm", "25:00"),
    "datetime": ("2026-01-09T10:00", "9.1.2026 14:30", "2026-01-09T10:00:00Z", "soon"),
    "number": (3.5, 7, "12,5", "1e400", -100, "12"),
    "integer": (3, 7, "12", 4.0, 2.5, 2**63 - 1),
    "boolean": (True, False, "yes", "nein", "perhaps"),
    "checkbox": (True, False, "ok"),
    "rating": (1, 4, 5, "3", 9),
    "file_upload": (FILE, [FILE], [FILE, FILE, FILE], "a.png"),
    "image_upload": (FILE, {**FILE, "size": -1}),
    "signature": (FILE, [FILE]),
    "none": (None,),
}
"""Input type to answers of which some fit."""

JUNK: Final = (
    "",
    "   ",
    "😀",
    "{{ vars.name }}",
    "' OR 1=1 --",
    "\u202ereversed",
    "9" * 400,
    "none of these",
    "end",
    "null",
    "é\u0301",
    "-",
    "0",
    "1",
    "2.",
)
SPOKEN: Final = ("hi", "where is my parcel", "A-1", "red", "3", "", "yes", "Ada Lovelace")
