//! A program's own files, isolated from those of others.

use domain::execution::{
    FileContent,
    Verdict::{Error, MemoryLimit, Ok},
};
use serde_json::json;

use super::{check, prints, row, run, workers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_the_host_can_be_seen() {
    let absent = |path: &str| {
        row("107", format!("open({path:?}).read()"), Error)
            .says("FileNotFoundError")
            .says("only your own files exist here")
    };
    check(vec![
        absent("/etc/passwd"),
        absent("/proc/self/environ"),
        absent("/proc/self/maps"),
        absent("/dev/mem"),
        absent("../../../../etc/shadow"),
        row("107s", "import os\nos.symlink('/etc/passwd', 'x')\nprint(open('x').read())", Error),
        prints("114a", "import os, sys\nprint(dict(os.environ), os.getenv('AWS_SECRET_ACCESS_KEY'), sys.argv)", "{} None ['main.py']\n"),
        row("114b", "import urllib.request\nurllib.request.urlopen('http://169.254.169.254/latest')", Error).says("no internet here"),
        prints("114c", "import gc\nprint(any('SECRET' in repr(o)[:2000] for o in gc.get_objects()[:500] if isinstance(o, (str, bytes))))", "False\n"),
        prints("109c", "import shutil, os\nfor name in os.listdir('/'):\n    shutil.rmtree(name) if os.path.isdir(name) else os.remove(name)\nprint(os.listdir())", "[]\n"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_work_in_a_private_file_system() {
    check(vec![
        prints("108a", "with open('out.txt', 'w') as f: f.write('one\\n')\nwith open('out.txt', 'a') as f: f.write('two\\n')\nprint(open('out.txt').read())", "one\ntwo\n\n"),
        prints("108b", "import csv\nwith open('a.csv', 'w', newline='') as f: csv.writer(f).writerows([['a', 1], ['b', 2]])\nprint(list(csv.reader(open('a.csv'))))", "[['a', '1'], ['b', '2']]\n"),
        prints("108c", "import sqlite3\nc = sqlite3.connect('x.db')\nc.execute('create table t (a)')\nc.execute('insert into t values (1)')\nc.commit()\nc.close()\nprint(sqlite3.connect('x.db').execute('select * from t').fetchall())", "[(1,)]\n"),
        prints("109a", "import os\nprint(sorted(os.listdir()), os.getcwd())\nos.mkdir('d')\nos.rename('main.py', 'd/other.py')\nprint(os.listdir('d'))\nos.remove('d/other.py')\nos.rmdir('d')\nprint(os.listdir())", "['main.py', 'tmp'] /\n['other.py']\n['tmp']\n"),
        prints("109b", "from pathlib import Path\nimport glob\nPath('a/b').mkdir(parents=True)\nPath('a/b/c.txt').write_text('hi')\nprint(glob.glob('**/*.txt', recursive=True), Path('a/b/c.txt').stat().st_size)", "['a/b/c.txt'] 2\n"),
        prints("110", "import tempfile\nwith tempfile.TemporaryFile('w+') as f:\n    f.write('x')\n    f.seek(0)\n    print(f.read(), tempfile.gettempdir())", "x /tmp\n"),
        row("113", "import os\nos.mkfifo('x')", Error).says("AttributeError"),
        prints("118", "import zoneinfo, datetime, platform, sys, time\nprint(datetime.datetime(2026, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo('Europe/London')).utcoffset(), sys.platform, time.tzname[0], len(zoneinfo.available_timezones()) > 400)", "1:00:00 wasi UTC True\n"),
        row("119", "import locale\nlocale.setlocale(locale.LC_ALL, 'C')", Ok),
        prints("120", "import time\nprint(0 <= time.process_time() < 5, time.perf_counter() > 0)", "True True\n"),
        row("117", "import os\nos.getuid()", Error).says("AttributeError"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_have_quotas_of_every_kind() {
    check(vec![
        row("111a", "for i in range(10**6): open(f'f{i}', 'w').close()", Error)
            .says("No space left")
            .says("1,000 of them"),
        row("111b", "f = open('x', 'wb')\nf.seek(2**40)\nf.write(b'x')\nf.flush()", Error)
            .says("space"),
        row("111c", "f = open('x', 'wb')\nf.truncate(2**40)", Error),
        row("111d", "f = open('x', 'wb')\nwhile True: f.write(b'x' * 100000)", Error)
            .says("at most 10 MB"),
        row(
            "111e",
            "import os\nfor i in range(10000):\n    os.mkdir('d')\n    os.chdir('d')",
            Error,
        )
        .says("OSError"),
        row("111f", "open('x' * 100000, 'w')", Error).says("ame too long"),
        row("111g", "open('a\\0b', 'w')", Error).says("ValueError"),
        row("112", "l = [open('x', 'w') for _ in range(10**6)]", Error)
            .says("too many files are open"),
        row(
            "111h",
            "import io\nl = []\nwhile True: l.append(io.StringIO('x' * 1000))",
            MemoryLimit,
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_provided_returned_and_dropped() {
    let workers = workers();
    let request = json!({
        "code": "from helper import twice\nprint(twice(open('data/in.txt').read()))\nopen('out.txt', 'w').write('new')\nopen('b.bin', 'wb').write(b'\\xff')\nimport random\nrandom.seed = 1\nimport builtins\nbuiltins.leak = 1",
        "files": { "helper.py": "def twice(x): return x * 2", "data/in.txt": "ab" },
    });
    let result = run(&workers, &request).await;
    assert_eq!((result.verdict, result.stdout.as_str()), (Ok, "abab\n"), "{result:?}");
    let names: Vec<&str> = result.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["b.bin", "out.txt"]);
    assert_eq!(result.files["out.txt"], FileContent::Text("new".to_owned()));
    assert_eq!(result.files["b.bin"], FileContent::Base64("/w==".to_owned()));
    // Rows 115 and 116: the next run finds none of these changes, and the library is never shadowed.
    let next = json!({
        "code": "import os, builtins, random\nprint(sorted(os.listdir()), hasattr(builtins, 'leak'), callable(random.seed), random.__file__)",
        "files": { "random.py": "raise SystemExit('mine')" },
    });
    let next = run(&workers, &next).await;
    assert_eq!(
        next.stdout,
        "['main.py', 'random.py', 'tmp'] False True /usr/lib/python3.14/random.py\n"
    );
    // The modules of the runtime do not shadow the program's own.
    let modules = ["app", "library", "names", "program", "report", "settings", "steps", "values"];
    let code = modules.map(|name| format!("import {name}\nprint({name}.own)\n")).concat();
    let files: serde_json::Map<_, _> = modules
        .map(|name| (format!("{name}.py"), format!("own = {name:?}\n").into()))
        .into_iter()
        .collect();
    let own = run(&workers, &json!({ "code": code, "files": files })).await;
    assert_eq!(own.stdout, modules.join("\n") + "\n", "{own:?}");
    let refused = json!({ "code": "", "files": { "../x": "" } });
    assert!(serde_json::from_value::<domain::execution::Program>(refused).is_err());
}
