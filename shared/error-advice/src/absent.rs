//! Modules that do not exist in the sandbox.

use crate::{
    failure::{Advice, Failure, advice, quoted},
    source,
};

/// Modules that cannot work here, and why.
const MODULES: [(&[&str], &str); 9] = [
    (
        &["turtle", "tkinter", "_tkinter", "pygame", "turtledemo", "idlelib"],
        "needs a window to draw in, and there is none here: your program can only print text",
    ),
    (
        &["requests", "httpx", "aiohttp", "ssl", "_ssl"],
        "needs the internet, and there is no internet here",
    ),
    (
        &[
            "numpy",
            "pandas",
            "matplotlib",
            "scipy",
            "sklearn",
            "seaborn",
            "torch",
            "tensorflow",
            "PIL",
            "bs4",
            "flask",
            "django",
            "pytest",
            "sympy",
        ],
        "is not part of Python itself and is not installed here; only the standard library is",
    ),
    (&["pip", "ensurepip", "venv"], "installs packages, and packages cannot be installed here"),
    (
        &["multiprocessing", "_multiprocessing", "_posixsubprocess", "concurrent.interpreters"],
        "starts other processes, and that is not possible here; an ordinary loop does the same work",
    ),
    (
        &["ctypes", "_ctypes", "mmap", "resource", "fcntl", "pwd", "grp", "syslog", "pty"],
        "needs an operating system, and your program has none here",
    ),
    (
        &["curses", "_curses", "termios", "tty", "readline", "msvcrt", "winreg", "winsound"],
        "controls a terminal or a computer, and there is none here",
    ),
    (
        &["bz2", "_bz2", "lzma", "_lzma", "compression.zstd", "_zstd"],
        "is not part of this Python; zlib and gzip are",
    ),
    (
        &["distutils", "imp", "asyncore", "asynchat", "cgi", "crypt", "telnetlib"],
        "was removed from Python; older books still use it",
    ),
];

/// Modules that students import.
pub(crate) const KNOWN: [&str; 32] = [
    "argparse",
    "array",
    "asyncio",
    "bisect",
    "calendar",
    "collections",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "io",
    "itertools",
    "json",
    "math",
    "operator",
    "os",
    "pathlib",
    "random",
    "re",
    "sqlite3",
    "statistics",
    "string",
    "sys",
    "textwrap",
    "time",
    "typing",
    "unittest",
];

/// The largest distance at which a name counts as mistyped, as a share of its letters.
const NEAR: f64 = 0.7;

pub(crate) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    let message = failure.message;
    if failure.is("ImportError") {
        let found = import(failure)?;
        let before = failure.line.and_then(|line| source::tried_before(failure.source, line));
        let Some(before) = before else { return Some(found) };
        let what = format!(
            "{} The import in the `try` on line {before} had failed before, so this was the second choice.",
            found.what
        );
        return Some(Advice { what, ..found });
    }
    if message.contains("can't start new thread") {
        return advice(
            "absent.threads",
            format!(
                "On {} your program starts a thread, and threads cannot be started here.",
                failure.place()
            ),
            "A program has only one thread here, so that every run gives the same result.",
            "Call the function itself in a loop, or use asyncio, which needs no threads.",
        );
    }
    let text = failure.text();
    let module_attribute = message.contains("module 'os'") || message.contains("module 'posix'");
    if message.contains("does not support processes")
        || (module_attribute
            && PROCESS.iter().any(|name| {
                message.ends_with(&format!("'{name}'")) || message.contains(&format!("'{name}'. "))
            }))
        || message.contains("multiprocessing.synchronize")
    {
        return advice(
            "absent.processes",
            format!(
                "`{text}` starts or controls another process, and starting other processes is not possible here."
            ),
            "Your program runs on its own: there is no shell and no other program.",
            "What should that process do? Python's standard library can often do the same, and instead of a pool of processes an ordinary loop does the same work.",
        );
    }
    if NETWORK
        .iter()
        .any(|word| text.contains(word) || failure.kind == "gaierror" || failure.kind == "URLError")
        && failure.is("OSError")
    {
        return advice(
            "absent.network",
            format!("`{text}` tries to reach another computer, and there is no internet here."),
            "Programs run in a sandbox without a network.",
            "Put the data that you need into your program, or into a file next to it.",
        );
    }
    if message.contains("the debugger is not available here") {
        return advice(
            "absent.debugger",
            "The debugger is not available here, since nobody can type while the program runs.",
            "A debugger stops the program and waits for commands.",
            "Run your program with the step trace instead, or print what you want to see.",
        );
    }
    None
}

const PROCESS: [&str; 15] = [
    "fork",
    "system",
    "popen",
    "execv",
    "execvp",
    "execl",
    "kill",
    "killpg",
    "spawnv",
    "wait",
    "waitpid",
    "forkpty",
    "posix_spawn",
    "pipe",
    "setsid",
];
const NETWORK: [&str; 9] = [
    "socket",
    "urlopen",
    "http.",
    "HTTPServer",
    "smtplib",
    "ftplib",
    "getaddrinfo",
    "gethostbyname",
    "create_connection",
];

fn import(failure: &Failure<'_>) -> Option<Advice> {
    if failure.message.contains("relative import") {
        return advice(
            "import_error.relative",
            format!(
                "The import on {} begins with a dot, and the file does not belong to a package.",
                failure.place()
            ),
            "A dot means the folder of the package that the file is a part of; a program that is started by itself has none.",
            "Is the other file in the same folder? How is it imported by its name alone?",
        );
    }
    let name = quoted(failure.message)?;
    let top = name.split('.').next().unwrap_or(name);
    if let Some((_, why)) =
        MODULES.iter().find(|(names, _)| names.contains(&name) || names.contains(&top))
    {
        let shown = source::names(failure.text())
            .find(|word| name.contains(word) || word.contains(top))
            .unwrap_or(top);
        return advice(
            "absent.module",
            format!("`{shown}` is not available here: it {why}."),
            "Your program runs in a sandbox with the parts of Python's standard library that can work there.",
            "Can you do it with the standard library, or run this program on your own computer?",
        );
    }
    if failure.kind == "ImportError" {
        return no_name(failure, name);
    }
    if let Some((_, part)) = name.rsplit_once('.')
        && failure.message.contains("is not a package")
    {
        return advice(
            "import_error.not_package",
            format!(
                "`{top}` on {} is a single module, not a folder of modules, so there is no module `{part}` in it.",
                failure.place()
            ),
            "Behind the dot of an import stands a module inside of a package; a function or a class is imported from its module.",
            format!(
                "Is `{part}` something that `{top}` has? Which form of import takes a name out of a module?"
            ),
        );
    }
    let near = KNOWN
        .iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(top, known), *known))
        .filter(|(near, _)| *near >= NEAR)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match near {
        Some((_, known)) => advice(
            "import_error.typo",
            format!("There is no module `{top}`; did you mean `{known}`?"),
            "A module's name must be written exactly.",
            format!("Compare the spelling of `{top}` on {}.", failure.place()),
        ),
        None => advice(
            "import_error.missing",
            format!(
                "There is no module `{top}` here: it is neither in Python's standard library nor one of your files."
            ),
            format!(
                "`import {top}` looks for a file {top}.py next to your program, then in the standard library."
            ),
            format!("If {top}.py is one of your files, send it together with your program."),
        ),
    }
}

/// `from module import name`, without such a name.
fn no_name(failure: &Failure<'_>, name: &str) -> Option<Advice> {
    let message = failure.message;
    let place = failure.place();
    let module = message.split_once(" from '").or_else(|| message.split_once("module '"));
    let module = module.and_then(|(_, rest)| rest.split('\'').next()).unwrap_or(name);
    if message.contains("partially initialized") || message.contains("circular import") {
        return advice(
            "import_error.circle",
            format!(
                "`{module}` is not ready on {place}: two files import each other, or your own file is called `{module}`."
            ),
            "Python runs an imported file from top to bottom; if that file imports the first one again, its names do not exist yet.",
            "Which of your files import each other? Is one of them named like a module of Python?",
        );
    }
    if message.contains("consider renaming") {
        return advice(
            "import_error.shadowed_module",
            format!("Python imports your own file instead of the module `{module}` on {place}."),
            "Your files come first when Python looks for a module, and one of them has that name.",
            "What else could you call your file?",
        );
    }
    let meant = message.split_once("Did you mean: '").and_then(|(_, rest)| rest.split('\'').next());
    let near = meant.map_or_else(String::new, |meant| format!(" There is a `{meant}`."));
    advice(
        "import_error.name",
        format!(
            "The module `{module}` exists, but it has no `{name}`, which {place} imports.{near}"
        ),
        "A name must be written exactly as the module has it, capital letters included.",
        "Is the name spelled as in the module's documentation, and is it the right module?",
    )
}
