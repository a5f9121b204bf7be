//! Features that cannot exist in the sandbox, and some that work although it seems that they could not.

use domain::execution::Verdict::{Aborted, Deadlock, Error, Exit, Ok};

use super::{check, prints, row};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_processes_and_threads_are_explained() {
    check(vec![
        row("121", "import os\nos.fork()", Error).says("other processes is not possible here"),
        row("122a", "import subprocess\nsubprocess.run('ls')", Error)
            .says("other processes is not possible here"),
        row("122b", "import os\nos.system('rm -rf /')", Error)
            .says("other processes is not possible here"),
        row("122c", "import os\nos.execv('/bin/sh', ['sh'])", Error)
            .says("other processes is not possible here"),
        row("123a", "import multiprocessing\nmultiprocessing.Pool(2)", Error)
            .says("an ordinary loop does the same work"),
        row(
            "123b",
            "from concurrent.futures import ProcessPoolExecutor\nProcessPoolExecutor()",
            Error,
        )
        .says("an ordinary loop does the same work"),
        row("124a", "import threading\nthreading.Thread(target=print).start()", Error)
            .says("threads cannot be started here"),
        row(
            "124b",
            "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor().submit(print)",
            Error,
        )
        .says("threads cannot be started here"),
        row("125", "import threading\nwhile True: threading.Thread(target=print).start()", Error),
        row("129", "import asyncio\nasyncio.run(asyncio.to_thread(print))", Error)
            .says("threads cannot be started here"),
        row("129b", "import asyncio\nasyncio.run(asyncio.create_subprocess_exec('ls'))", Error),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_an_impossible_event_is_a_deadlock_at_once() {
    let deadlock = |code: &str| row("126", code, Deadlock).says("can never happen");
    check(vec![
        deadlock("import threading\nl = threading.Lock()\nl.acquire()\nl.acquire()").says("line 4"),
        deadlock("import queue\nqueue.Queue().get()").says("line 2"),
        deadlock("import threading\nthreading.Event().wait()"),
        deadlock("import threading\nthreading.Barrier(2).wait()"),
        deadlock("import threading\nthreading.Semaphore(0).acquire()"),
        deadlock("import asyncio\nasync def main():\n    await asyncio.get_running_loop().create_future()\nasyncio.run(main())"),
        prints("127", "import threading\nl = threading.Lock()\nl.acquire()\nprint(l.acquire(timeout=0.1))\nc = threading.Condition()\nwith c: print(c.wait(0.01))\nr = threading.RLock()\nwith r:\n    with r: print('ok')", "False\nFalse\nok\n"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asyncio_works_without_sockets() {
    check(vec![
        prints("128a", "import asyncio\nasync def main():\n    async def f(i):\n        await asyncio.sleep(0.2 * (3 - i))\n        print(i)\n        return i\n    print(await asyncio.gather(*[f(i) for i in range(3)]))\nasyncio.run(main())", "2\n1\n0\n[0, 1, 2]\n"),
        prints("128b", "import asyncio\nasync def main():\n    q = asyncio.Queue()\n    async def put():\n        for i in range(3): await q.put(i)\n    async with asyncio.TaskGroup() as g:\n        g.create_task(put())\n        print([await q.get() for _ in range(3)])\nasyncio.run(main())", "[0, 1, 2]\n"),
        prints("128c", "import asyncio\nasync def main():\n    try:\n        async with asyncio.timeout(0.01): await asyncio.sleep(10)\n    except TimeoutError: print('timeout')\nasyncio.run(main())\nloop = asyncio.new_event_loop()\nloop.run_until_complete(asyncio.sleep(0))\nloop.close()", "timeout\n"),
        row("129c", "import asyncio\nasyncio.run(asyncio.open_connection('localhost', 80))", Error),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_internet_and_missing_modules_are_explained_by_name() {
    let absent =
        |module: &str| row("133", format!("import {module}"), Error).says("is not available here");
    check(vec![
        row("130a", "import socket\nsocket.create_connection(('example.org', 80))", Error).says("no internet here"),
        row("130b", "import urllib.request\nurllib.request.urlopen('http://example.org')", Error).says("no internet here"),
        row("130c", "import socket\nsocket.socket().bind(('', 80))", Error),
        row("130d", "import socket\nsocket.gethostbyname('example.org')", Error).says("no internet here"),
        row("131", "import ssl", Error).says("no internet here"),
        row("132a", "import signal\nsignal.signal(signal.SIGINT, lambda *a: print('caught'))\nsignal.raise_signal(signal.SIGINT)", Ok),
        row("132b", "import signal\nsignal.alarm(1)", Error).says("AttributeError"),
        row("132c", "import signal\nsignal.raise_signal(signal.SIGTERM)", Aborted).or(Exit),
        absent("turtle").says("`turtle`").says("needs a window"),
        absent("tkinter").says("needs a window"),
        absent("ctypes"),
        absent("mmap"),
        absent("fcntl"),
        absent("termios"),
        absent("readline"),
        absent("curses"),
        absent("bz2"),
        absent("lzma"),
        absent("numpy").says("`numpy`").says("not installed here"),
        absent("pandas"),
        absent("requests").says("no internet"),
        absent("pip"),
        row("134b", "import maths", Error).says("did you mean `math`?"),
        row("134c", "import mymodule", Error).says("mymodule.py"),
        row("135", "import webbrowser\nwebbrowser.open('http://example.org')", Ok).or(Error),
    ])
    .await;
}
