//! Programs that write output.

use domain::execution::{
    Stream,
    Verdict::{Error, Exit, MemoryLimit, Ok, OutputLimit, Timeout},
};

use super::{check, prints, row, run_code};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_is_limited_and_its_beginning_is_kept() {
    let flood = run_code("while True: print('x')").await;
    assert_eq!(flood.verdict, OutputLimit);
    assert!(flood.truncated && flood.stdout.starts_with("x\nx\n"), "{flood:?}");
    assert_eq!(flood.stdout.len(), 128 << 10);
    check(vec![
        row("64", "while True:\n    print('x')", OutputLimit)
            .says("limit.output")
            .says("See the loop on line 1"),
        row("65", "print('x' * 20_000_000)", OutputLimit),
        row("66", "raise ValueError('x' * 5_000_000)", Error).says("(5,000,000 characters)"),
        row("80", "import sys\nwhile True: print('x', file=sys.stderr)", OutputLimit),
        row("78", "import sys\nfor i in range(100_000): sys.stdout.write('x')", Ok),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_is_reported_exactly_as_written() {
    check(vec![
        prints("67", "print('no newline', end='')", "no newline"),
        row("68a", "print('Name? ', end='')\n1/0", Error).says("Name? "),
        row("68b", "print('Name? ', end='')\nwhile True: pass", Timeout).limit(300).says("Name? "),
        row("68c", "import os\nprint('Name? ', end='')\nos._exit(0)", Ok).says("Name? "),
        row("69", "print('so far')\nwhile True: pass", Timeout).limit(300).says("so far"),
        prints("71a", "import sys, os\nsys.stdout.write('a')\nsys.stdout.buffer.write(b'b')\nos.write(1, b'c')\nopen(1, 'w', closefd=False).write('d')", "abcd"),
        row("71b", "f = open(1, 'w')\nf.write('x')\nf.close()\nprint('y')", Error).or(Ok).says("x"),
        row("72", "import sys\nsys.stdout.close()\nprint(1)", Error).says("closed"),
        prints("73a", "import sys\nsys.stdout = None\nprint('nothing')", ""),
        prints("73b", "import sys, io\nsys.stdout = io.StringIO()\nprint('nothing')", ""),
        row("73c", "import sys\nclass Bad:\n    def write(self, text): raise OSError('no')\nsys.stdout = Bad()\nprint('x')", Error).says("OSError"),
        row("74a", "import sys\ndel sys.stdout\nprint('x')", Error).or(Ok),
        row("74b", "import sys\nclass Bad: pass\nsys.stderr = Bad()\nx = 1\n1/0", Error).says("ZeroDivisionError").says("line: Some(5)"),
        prints("75", "import sys\nsys.stdout.buffer.write(b'a\\xffb')", "a\u{fffd}b"),
        row("76", "print('\\ud800')", Error).says("UnicodeEncodeError").says("half of a character"),
        prints("77", "print('\\0\\x07\\x1b]0;title\\x07\\r|\\u202e', end='')", "\0\u{7}\u{1b}]0;title\u{7}\r|\u{202e}"),
        prints("79", "input('Name? ')", "Name? ").with("stdin", "Ada\n"),
        row("81a", "import warnings\nwarnings.warn('careful')", Ok).says("UserWarning: careful"),
        row("81b", "print('\\d')", Ok).says("invalid escape sequence"),
        row("81c", "async def f(): pass\nf()", Ok).says("was never awaited"),
        row("82a", "import logging\nlogging.warning('watch out')", Ok).says("WARNING:root:watch out"),
        row("82b", "help(print)", Ok).says("Prints the values to a stream"),
        row("82c", "import this", Ok).says("Beautiful is better than ugly."),
        row("82d", "import pprint, timeit\npprint.pprint({'a': 1})\ntimeit.timeit('1', number=10)", Ok),
        row("82e", "print(license)", Ok),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_transcript_has_both_streams_in_order() {
    let result = run_code("import sys\nfor i, c in enumerate('abcd'):\n    print(c, file=sys.stderr if i % 2 else sys.stdout)").await;
    let parts: Vec<(Stream, &str)> =
        result.transcript.iter().map(|part| (part.stream, part.text.as_str())).collect();
    use Stream::{Stderr, Stdout};
    assert_eq!(parts, [(Stdout, "a\n"), (Stderr, "b\n"), (Stdout, "c\n"), (Stderr, "d\n")]);
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("a\nc\n", "b\nd\n"));
    let exit = run_code("import sys\nsys.exit('bye')").await;
    assert_eq!((exit.verdict, exit.stderr.as_str()), (Exit, "bye\n"));
    let many = run_code(
        "import sys\nfor i in range(50000):\n    sys.stdout.write('a')\n    sys.stderr.write('b')",
    )
    .await;
    assert!(many.verdict == Ok || many.verdict == MemoryLimit, "{:?}", many.verdict);
}
