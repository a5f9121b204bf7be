# Tries changes of a program, one by one and then together, until it gives all the results that are expected. What comes
# before: TASK, a JSON text. The last line of the output is the answer, as JSON.
import ast as _ast
import builtins as _builtins
import contextlib as _contextlib
import io as _io
import json as _json
import sys as _sys

# Lines of one check, and of all together: the search must end within a second.
_CHECK_LINES = 1_000
_REMEMBERING_LINES = 3_000
_ALL_LINES = 80_000
# Most changes leave an endless loop endless: at first each try is stopped soon, until a third of all lines is used. If one
# mends the program, those that were stopped get more time, until half is used.
_SOON_CHECK_LINES = 150
_SOON_ALL_LINES = _ALL_LINES // 3
_LATE_ALL_LINES = _ALL_LINES // 2
# A changed program may take so many times the lines of the program itself, and a few more.
_LONGER = 5
_MORE_LINES = 100
# Lines that are kept for comparing the changes that mend the program.
_COMPARED_LINES = 12_000
# What one try costs besides its lines, and how many bytes are compiled in the time of a line.
_TRY_LINES = 30
_COMPILED_BYTES = 60
# A value that has more items grows without end.
_MANY_ITEMS = 2_000
# How many changes are the first of several.
_WIDTH = 25
# Most changes together.
_DEPTH = 3
# Most repairs that are compared, and most inputs that they are compared with.
_REPAIRS = 20
_INPUTS = 14
# Most results of a function that are remembered.
_RESULTS = 2_000

# What changes the order of items.
_REORDER = (".sort(", "sorted(", "set(", "reverse")
_GROWING = (list, str, tuple, dict, set)
# A value that nobody can change.
_FIXED = (int, float, str, bool, type(None))
# What gives the same for the same, and does nothing else.
_PURE = frozenset(
    "abs all any bool chr divmod enumerate float int isinstance len list map max min ord pow range reversed round set"
    " sorted str sum tuple zip".split()
)
# How a check ends that has used up its lines; None: while the program was loaded.
_STOPPED = (None, (False, "_Stop"))
# The same of a program that may never end.
_ENDLESS = (*_STOPPED, (False, "RecursionError"))
_all_lines = 0


class _Stop(BaseException):
    pass


def _watched(work, most, reached=None):
    """Whether the work ends well and within so many lines, and with what; `reached` gets its lines."""
    lines = 0

    def watch(frame, event, argument):
        nonlocal lines
        global _all_lines
        # An import runs many lines of others.
        if frame.f_code.co_filename != "program":
            return None
        lines += 1
        _all_lines += 1
        if reached is not None:
            reached.append(frame.f_lineno)
        if lines > most:
            raise _Stop
        if lines % 16 == 0:
            for value in frame.f_locals.values():
                if type(value) in _GROWING and len(value) > _MANY_ITEMS:
                    raise _Stop
        return watch

    _sys.settrace(watch)
    try:
        return True, work()
    except BaseException as error:
        return False, type(error).__name__
    finally:
        _sys.settrace(None)


def _is_pure(function, names, seen):
    """Whether a function only depends on its arguments, as far as its names tell."""
    if function in seen:
        return True
    seen.add(function)
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [part for part in code.co_consts if type(part) is type(code)]
        # A generator is another one each time.
        if code is function.__code__ and (code.co_freevars or code.co_flags & 0x20):
            return False
        for name in code.co_names:
            value = names.get(name)
            if type(value) is type(_is_pure):
                if not _is_pure(value, names, seen):
                    return False
            elif name in names or hasattr(_builtins, name) and name not in _PURE:
                return False
    return all(type(value) in _FIXED for value in function.__defaults__ or ())


def _remembering(function):
    """A pure function that does not work out twice what cannot have changed: recursion ends sooner."""
    results = {}

    def remembering(*arguments):
        if len(results) > _RESULTS or not all(type(argument) in _FIXED for argument in arguments):
            return function(*arguments)
        key = tuple((type(argument), argument) for argument in arguments)
        if key not in results:
            value = function(*arguments)
            if type(value) not in _FIXED:
                return value
            results[key] = value
        return results[key]

    return remembering


def _remember(names):
    """Makes the functions of a program remember their results, where that makes no difference."""
    functions = [(name, value) for name, value in names.items() if type(value) is type(_remember)]
    pure = [(name, value) for name, value in functions if name in value.__code__.co_names]
    for name, value in [(name, value) for name, value in pure if _is_pure(value, names, set())]:
        names[name] = _remembering(value)


def _ran(code, check, reached=None):
    """How a check ends in a program of its own: whether well, and with what; None if it is not even loaded."""
    global _all_lines
    _all_lines += _TRY_LINES
    output = _io.StringIO()
    names = {"__name__": "program" if check["call"] else "__main__"}
    stdin, _sys.stdin = _sys.stdin, _io.StringIO(check["stdin"] or "")
    try:
        with _contextlib.redirect_stdout(output):
            ended, value = _watched(lambda: exec(code, names), check["most"], reached)
            if not check["call"]:
                return ended, output.getvalue() if ended else value
            if not ended:
                return None
            if check["remembers"]:
                _remember(names)
            return _watched(lambda: eval(check["call"], names), check["most"], reached)
    finally:
        _sys.stdin = stdin


def _passes(outcome, check):
    if outcome is None:
        return False
    ended, value = outcome
    if check["raises"] is not None:
        return not ended and value == check["raises"]
    try:
        if check["call"]:
            return ended and bool(value == check["value"])
        return ended and _lines(value) == _lines(check["expected"])
    except BaseException:
        return False


def _lines(text):
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _compiled(text):
    global _all_lines
    _all_lines += len(text) // _COMPILED_BYTES
    try:
        return compile(text, "program", "exec")
    except (SyntaxError, ValueError):
        return None


def _outcomes(text, checks):
    """Which checks pass; None if it cannot be run."""
    code = _compiled(text)
    found = []
    for check in checks if code else []:
        outcome = _ran(code, check)
        if outcome is None:
            return None
        found.append(_passes(outcome, check))
    return found if code else None


def _together(first, second):
    """The edits of two changes; None if they touch the same place."""
    edits = sorted(first + second, key=lambda edit: edit[:2])
    for before, after in zip(edits, edits[1:]):
        if before[1] > after[0] or before[:2] == after[:2]:
            return None
    return edits


def _applied(program, edits):
    parts, at = [], 0
    for start, end, new in edits:
        parts += [program[at:start], new.encode()]
        at = end
    return b"".join(parts + [program[at:]]).decode()


def _varied(value, texts):
    """Values that are a little different from one."""
    if type(value) in (int, float):
        return [value + 1, value - 1, 2 * value, -value]
    if type(value) is bool:
        return [not value]
    if type(value) is str and value.strip().lstrip("-").isdecimal():
        return [str(varied) for varied in _varied(int(value), texts)]
    if type(value) is str:
        return [value[:-1], value[::-1], "".join(texts), value + value]
    if type(value) in (list, tuple):
        return [value[:-1], value[::-1], value + value, value[1:]]
    return []


def _inputs_like(check, texts):
    """Checks whose input differs a little from one's; none for a call that is given more than values."""
    call = _ast.parse(check["call"], mode="eval").body if check["call"] else None
    try:
        given = [_ast.literal_eval(value) for value in call.args] if call else (check["stdin"] or "").splitlines()
    except (ValueError, TypeError, AttributeError):
        return []
    found = []
    for at, value in enumerate(given):
        for varied in _varied(value, texts):
            other = [*given[:at], varied, *given[at + 1 :]]
            if call:
                call.args = [_ast.parse(repr(argument), mode="eval").body for argument in other]
                found.append({**check, "call": _ast.unparse(call)})
            else:
                found.append({**check, "stdin": "\n".join(other) + "\n"})
    return found


def _inputs(checks, program):
    """Checks of a little different input, of which nobody says what they should give."""
    constants = [node.value for node in _ast.walk(_ast.parse(program)) if isinstance(node, _ast.Constant)]
    texts = [value for value in constants if type(value) is str and len(value) == 1][:6]
    found = [_inputs_like(check, texts) for check in checks]
    # Some of each check.
    most = max(map(len, found), default=0)
    return [of_check[at] for at in range(most) for of_check in found if at < len(of_check)][:_INPUTS]


def _shown(outcome):
    try:
        return repr(outcome)
    except BaseException:
        return None


def _least(program, checks, repairs):
    """The repair that changes least of what the program does with other input: a change that only happens to give one
    result changes more."""
    until = _all_lines + _COMPARED_LINES
    try:
        inputs = _inputs(checks, program)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        inputs = []
    codes = [_compiled(text) for _, text in repairs]
    differ = [0] * len(repairs)
    own = _compiled(program)
    for check in inputs:
        if _all_lines > until:
            break
        before = _ran(own, check)
        if before is None or not before[0]:
            continue
        for number, code in enumerate(codes):
            after = _ran(code, check)
            # One that does not end is worse than another result.
            differ[number] += 3 if after is None or not after[0] else _shown(after) != _shown(before)
    return min(range(len(repairs)), key=lambda number: (differ[number], number))


def _answer(changes, numbers, mends_all, others=()):
    places = [{"line": changes[number]["line"], "kind": changes[number]["kind"]} for number in numbers]
    return {"places": places, "mends_all": mends_all, "others": sorted(others), "suspect": None}


def _chosen(program, checks, changes, repairs):
    """The best of several repairs, and the lines of the others."""
    best = repairs[_least(program, checks, repairs[:_REPAIRS])][0]
    line = min(changes[number]["line"] for number in best)
    others = {min(changes[number]["line"] for number in numbers) for numbers, _ in repairs} - {line}
    return _answer(changes, best, True, others)


def _reachable(program, changes, reached):
    """The changes that can make a difference: those of lines that run, and those that add or move lines."""
    starts = [0]
    for line in program.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def line_of(at):
        low, high = 0, len(starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if starts[middle] <= at else (low, middle)
        return low + 1

    def is_within(edit):
        return any(line in reached for line in range(line_of(edit[0]), line_of(edit[1]) + 1))

    def can_matter(change):
        edits = change["edits"]
        return any("\n" in new or "elif" in new or is_within((start, end)) for start, end, new in edits)

    return [change for change in changes if can_matter(change)]


def _begun(own, checks):
    """The checks that fail, with the lines that run in each, and those that pass."""
    global _all_lines
    failing, passing = [], []
    for check in checks:
        check["value"] = None
        if check["raises"] is None and check["call"]:
            check["value"] = eval(check["expected"], {})
        check.update(most=_CHECK_LINES, remembers=False)
        reached = []
        before = _all_lines
        outcome = _ran(own, check, reached)
        if outcome == (False, "_Stop"):
            # A recursion that takes too long may end sooner if it remembers.
            check.update(most=_REMEMBERING_LINES, remembers=True)
            before = _all_lines
            reached.clear()
            outcome = _ran(own, check, reached)
        if outcome != (False, "_Stop"):
            check["most"] = min(check["most"], _LONGER * (_all_lines - before) + _MORE_LINES)
        (passing if _passes(outcome, check) else failing).append((check, reached, outcome))
    return failing, passing


def _suspect(lines, failing, passing):
    """A line that the runs alone make suspicious, and why."""
    runs = [set(reached) for _, reached, _ in failing]
    only = set.intersection(*runs).difference(*(reached for _, reached, _ in passing)) if passing else ()
    called = [(check["value"], outcome, reached) for check, reached, outcome in failing if check["call"] and outcome]
    sorts = ()
    if called and all(outcome[0] and _is_reordered(value, outcome[1]) for value, outcome, _ in called):
        ran = [line for line in sorted(set.intersection(*runs)) if line <= len(lines)]
        sorts = [line for line in ran if any(word in lines[line - 1] for word in _REORDER)]
    if only:
        line, why = min(only), "only_when_wrong"
    elif sorts:
        line, why = sorts[0], "order"
    elif called and all(outcome == (True, None) and value is not None for value, outcome, _ in called):
        line, why = called[0][2][-1], "ends"
    else:
        return None
    return {"places": [], "mends_all": False, "others": [], "suspect": {"line": line, "why": why}}


def _is_reordered(expected, value):
    """Whether a list has the right items in the wrong order."""
    try:
        return type(value) is type(expected) is list and value != expected and sorted(value) == sorted(expected)
    except BaseException:
        return False


def _gives_all(text, checks):
    """Whether a program passes all checks; None if it was stopped at one."""
    code = _compiled(text)
    for check in checks if code else []:
        outcome = _ran(code, check)
        if not _passes(outcome, check):
            return None if outcome in _STOPPED else False
    return code is not None


def _soon(program, changes, failing, passing):
    """The single changes that mend a program that never ends; none, if none of them ends it soon."""
    endless = [check for check, _, outcome in failing if outcome in _ENDLESS]
    if not endless:
        return []
    checks = endless + [check for check, *_ in failing if check not in endless] + passing
    patient = [dict(check) for check in endless]
    for check in endless:
        check.update(most=_SOON_CHECK_LINES, remembers=False)
    repairs, stopped = [], []
    for number, change in enumerate(changes):
        if _all_lines > _SOON_ALL_LINES:
            break
        text = _applied(program, change["edits"])
        gives_all = _gives_all(text, checks)
        if gives_all:
            repairs.append(([number], text))
        elif gives_all is None:
            stopped.append(([number], text))
    for check, before in zip(endless, patient):
        check.update(before)
    # What takes longer may be right, too: then nobody can be certain of the line.
    for numbers, text in stopped if repairs else []:
        if _all_lines > _LATE_ALL_LINES:
            break
        if _gives_all(text, checks):
            repairs.append((numbers, text))
    # In the order of the changes: common mistakes first.
    return sorted(repairs)


def _search(program, checks, changes):
    """The changes that mend the program, and whether they mend all of it."""
    failing, passing = _begun(_compiled(program.decode()), checks)
    best = _suspect(program.decode().splitlines(), failing, passing)
    reached = set().union(*(lines for _, lines, _ in failing))
    changes = _reachable(program, changes, reached)
    repairs = _soon(program, changes, failing, [check for check, *_ in passing])
    if repairs:
        return _chosen(program.decode(), checks, changes, repairs)
    failing, passing = [check for check, *_ in failing], [check for check, *_ in passing]
    most, seen = 0, set()
    found = [(0, [], [])]
    for depth in range(1, _DEPTH + 1):
        longer, behaviours = [], set()
        for _, numbers, edits in sorted(found, key=lambda one: -one[0])[:_WIDTH]:
            for number, change in enumerate(changes):
                if _all_lines > _ALL_LINES:
                    return _chosen(program.decode(), checks, changes, repairs) if repairs else best
                joined = _together(edits, change["edits"]) if number not in numbers else None
                text = _applied(program, joined) if joined else None
                if text is None or text in seen:
                    continue
                seen.add(text)
                mended = _outcomes(text, failing)
                if mended is None:
                    continue
                gained = sum(mended)
                harms = gained > 0 and not _gives_all(text, passing)
                if all(mended) and not harms:
                    repairs.append((numbers + [number], text))
                elif gained > most and not harms:
                    best, most = _answer(changes, numbers + [number], False), gained
                behaviour = (harms, *mended)
                if behaviour not in behaviours or gained > 0:
                    behaviours.add(behaviour)
                    longer.append((gained - harms, numbers + [number], joined))
            if depth > 1 and repairs:
                break
        if repairs:
            return _chosen(program.decode(), checks, changes, repairs)
        found = longer
    return best


def _main(task):
    output = _io.StringIO()
    with _contextlib.redirect_stdout(output), _contextlib.redirect_stderr(output):
        best = _search(task["program"].encode(), task["checks"], task["changes"])
    print(_json.dumps(best))


_main(_json.loads(TASK))
