"""Sentences to learn from: the course, the training questions, Python's own documentation strings, and templates."""

import ast
import importlib.util
import pathlib
import random
import re
import sysconfig
import tomllib

import model

HERE = pathlib.Path(__file__).parent
COURSE = HERE.parent.parent / "curriculum" / "content"
DOCUMENTED = 14_000  # sentences of documentation
VARIANTS = 24  # of each training question
PER_TERM = 16  # questions about each term of the course
CHANCE = 24_000  # sentences of chance words, for the encoder
TEMPLATES = 9_000  # sentences of chance words, so that every word of the vocabulary is seen
ABOUT_TERMS = """what is {}|what does {} mean|how do i {}|how can i use {}|explain {} please|what is {} good for|i don't understand {}
give me an example of {}|why do we need {}|difference between {} and {}|{} or {}|give me an exercise about {}|quiz me on {}
my {} does not work|i get an error with {}|why does {} not work|is my {} good|how do i write {} in python|is there a better way than {}
what happens if {} is empty|how to {} with {}|can {} contain {}""".replace("\n", "|").split("|")
ANYTHING = """what is {}|who is {}|where is the {}|how do i buy a {}|i like {}|tell me about {} and {}|why is the {} so {}|my {} is {}
write a {} about {}|is {} better than {}|how many {} are there|can you {} me a {}|the {} of the {} is {}|{} {} {}|{} {} {} {} {}""".replace("\n", "|").split("|")


def plain(text):
    return re.sub(r"\s+", " ", re.sub(r"```.*?```", " ", text, flags=re.S).replace("`", "")).strip()


def sentences(text):
    return [part for part in re.split(r"(?<=[.!?;:])\s+", plain(text)) if len(part.split()) >= 4]


def texts_of(value):
    """All strings in a file of the course."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name, part in value.items() if name not in ("code", "output", "solution") for text in texts_of(part)]
    return [text for part in value for text in texts_of(part)] if isinstance(value, list) else []


def course():
    found = [text for path in sorted(COURSE.rglob("*.toml")) for text in texts_of(tomllib.loads(path.read_text("utf-8")))]
    parts = [part for text in found for part in ([plain(text)] if len(text) < 80 else sentences(text))]
    return [part for part in parts if part]


def terms():
    outline = tomllib.loads((COURSE / "outline.toml").read_text("utf-8"))
    topics = [topic for module in outline["module"] for topic in module["topic"]]
    return sorted({term for topic in topics for term in [topic["title"], *topic["terms"]]} | set(outline["not_covered"]))


def questions():
    """The training questions: a line each, what stands before ` | ` is their label."""
    lines = [line for name in ("questions.txt",) for line in (HERE / name).read_text("utf-8").splitlines()]
    return [line.split(" | ", 1)[1] for line in lines if " | " in line and not line.startswith("#")]


def own():
    return course() + terms() + questions()


def documentation():
    found = set()
    for path in sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if {"site-packages", "test", "tests", "idlelib", "lib2to3"} & set(path.parts):
            continue
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                found.update(sentences(re.sub(r"(?m)^\s*(>>>|\.\.\.).*$", " ", text)))
    return sorted(text for text in found if len(text.split()) <= 40)


def talk():
    """What people say to each other, from the package `chatterbot-corpus`: most of it is off-topic."""
    places = importlib.util.find_spec("chatterbot_corpus").submodule_search_locations
    found = []
    for path in sorted(pathlib.Path(places[0]).glob("data/english/*.yml")):
        lines = path.read_text("utf-8").splitlines()
        found += [plain(line.lstrip("- ").strip("'\"")) for line in lines if line.lstrip().startswith("- ")]
    return [text[:200] for text in found if len(text.split()) >= 3]


def fill(template, choose):
    return re.sub(r"\{\}", lambda _: choose(), template)


def about_terms(chance, count):
    named = terms()
    return [fill(template, iter([term] + named).__next__ if template.count("{}") == 1 else lambda: chance.choice(named))
            for term in named for template in chance.sample(ABOUT_TERMS, count)]


def anything(chance, count):
    words = [word for word in model.vocabulary()[1996:14_000] if word.isalpha()]
    return [fill(chance.choice(ANYTHING), lambda: chance.choice(words)) for _ in range(count)]


def whole(seed=1):
    chance = random.Random(seed)
    documented = documentation()
    chance.shuffle(documented)
    texts = documented[:DOCUMENTED] + own() + about_terms(chance, 6) + anything(chance, TEMPLATES)
    return list(dict.fromkeys(texts))


def mistyped(chance, text):
    """One slip of the finger."""
    if len(text) < 2:
        return text
    at = chance.randrange(len(text))
    slips = [text[:at] + text[at + 1 :], text[:at] + text[at : at + 1] * 2 + text[at + 1 :],
             text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]]
    return chance.choice(slips)


def variant(chance, texts, text):
    """Another text that has much of this one: shorter, mistyped, or together with another one."""
    words, other = text.split(), chance.choice(texts)
    cut = chance.randrange(1, len(words) + 1)
    kind = chance.randrange(6)
    if kind == 0:
        return " ".join(words[:cut] + other.split()[-cut:])
    if kind == 1:
        return " ".join(word for word in words if chance.random() > 0.2) or text
    if kind == 2:
        return mistyped(chance, mistyped(chance, text))
    if kind == 3:
        return f"{text} {other}"
    if kind == 4:
        return " ".join(words[:cut])
    return " ".join(chance.choice(other.split()) if chance.random() < 0.2 else word for word in words)


def many(seed=2):
    """Many texts, for the encoder to learn from."""
    chance = random.Random(seed)
    asked = questions()
    variants = [variant(chance, asked, text) for text in asked for _ in range(VARIANTS)]
    told = course() + talk()
    mixed = [variant(chance, told + asked, text) for text in told]
    texts = documentation() + own() + talk() + about_terms(chance, PER_TERM) + anything(chance, CHANCE) + variants + mixed
    return list(dict.fromkeys(text for text in texts if text.strip()))
