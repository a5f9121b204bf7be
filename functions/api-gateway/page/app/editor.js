// The editor: CodeMirror with Python, in a shadow root, where its styles need no exception from the page's policy.
import {
    bracketMatching,
    Decoration,
    defaultKeymap,
    EditorState,
    EditorView,
    highlightActiveLine,
    HighlightStyle,
    history,
    historyKeymap,
    indentOnInput,
    indentUnit,
    indentWithTab,
    keymap,
    lineNumbers,
    lintGutter,
    python,
    setDiagnostics,
    StateEffect,
    StateField,
    syntaxHighlighting,
    tags,
    useEffect,
    useRef,
} from "../vendor/vendor.js";
import { html } from "./html.js";

/** @typedef {{ line: number, message: string, severity?: "error" | "warning" | "info", column?: number | null, endColumn?: number | null }} Mark */

const colours = HighlightStyle.define([
    { tag: [tags.keyword, tags.operatorKeyword], color: "var(--code-keyword)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
    { tag: tags.comment, color: "var(--code-comment)" },
    { tag: [tags.function(tags.variableName), tags.definition(tags.variableName)], color: "var(--code-name)" },
]);

const theme = EditorView.theme({
    // Python is read from left to right, whatever the page is.
    "&": { direction: "ltr", height: "100%", fontSize: "var(--code-size)", color: "var(--text)", backgroundColor: "var(--surface)" },
    "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
    ".cm-content": { caretColor: "var(--text)" },
    ".cm-cursor": { borderLeftColor: "var(--text)" },
    ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", border: "none" },
    ".cm-activeLine": { backgroundColor: "var(--active)" },
    ".cm-next": { backgroundColor: "var(--mark)" },
    ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)" },
});

/** @type {import("../vendor/vendor.js").StateEffectType<number | null>} */
const showLine = StateEffect.define();
const shownLine = StateField.define({
    create: () => Decoration.none,
    update(marks, change) {
        for (const effect of change.effects) {
            if (effect.is(showLine)) {
                const line = effect.value;
                if (!line || line > change.state.doc.lines) return Decoration.none;
                const from = change.state.doc.line(line).from;
                return Decoration.set([Decoration.line({ class: "cm-next" }).range(from)]);
            }
        }
        return marks.map(change.changes);
    },
    provide: (field) => EditorView.decorations.from(field),
});

/** @param {EditorState} state @param {Mark} mark */
function diagnostic(state, mark) {
    const line = state.doc.line(Math.min(Math.max(mark.line, 1), state.doc.lines));
    const from = mark.column ? Math.min(line.from + mark.column - 1, line.to) : line.from;
    const to = mark.column && mark.endColumn ? Math.min(line.from + mark.endColumn - 1, line.to) : line.to;
    return { from, to: Math.max(from, to), severity: mark.severity || "error", message: mark.message };
}

/**
 * What every editor has.
 * @param {string} label
 * @param {() => void} run
 * @param {(text: string) => void} changed
 */
const extensions = (label, run, changed) => [
    lineNumbers(),
    history(),
    indentOnInput(),
    indentUnit.of("    "),
    EditorState.tabSize.of(4),
    bracketMatching(),
    highlightActiveLine(),
    lintGutter(),
    python(),
    syntaxHighlighting(colours),
    theme,
    shownLine,
    keymap.of([
        { key: "Mod-Enter", run: () => (run(), true), preventDefault: true },
        indentWithTab,
        ...defaultKeymap,
        ...historyKeymap,
    ]),
    EditorView.contentAttributes.of({ "aria-label": label, dir: "ltr" }),
    EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
];

/**
 * The editor in an element, and what it holds: what the owner gives, and what is typed.
 * @param {Props} props
 */
function useEditor({ value, label, onChange, onRun, readOnly = false }) {
    const host = useRef(/** @type {HTMLElement | null} */ (null));
    const view = useRef(/** @type {EditorView | null} */ (null));
    const latest = useRef({ onChange, onRun });
    latest.current = { onChange, onRun };
    // What was typed last, and what the owner has given last: the owner comes after quick typing.
    const typed = useRef(value);
    const shown = useRef(value);
    useEffect(() => {
        if (!host.current) return undefined;
        const root = host.current.shadowRoot || host.current.attachShadow({ mode: "open" });
        const changed = (text) => {
            // What the owner has given is no news to it: two such texts in a row would chase each other.
            if (text === typed.current) return;
            const before = typed.current;
            typed.current = text;
            latest.current.onChange?.(text, before);
        };
        const own = [...extensions(label, () => latest.current.onRun?.(), changed), EditorState.readOnly.of(readOnly)];
        const made = new EditorView({ root, parent: root, state: EditorState.create({ doc: value, extensions: own }) });
        view.current = made;
        return () => {
            made.destroy();
            view.current = null;
        };
    }, []);
    useEffect(() => {
        const editor = view.current;
        // While more was typed than its owner has given back, what comes from there is old.
        const isOld = typed.current !== shown.current && typed.current !== value;
        shown.current = value;
        if (editor && !isOld && editor.state.doc.toString() !== value) {
            typed.current = value;
            editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
        }
    }, [value]);
    return { host, view };
}

/**
 * @typedef {object} Props
 * @property {string} value
 * @property {string} label
 * @property {(value: string, before: string) => void} [onChange] with what was there before
 * @property {() => void} [onRun] what Ctrl+Enter does
 * @property {Mark[]} [marks] errors and findings at their lines
 * @property {number | null} [line] the line to point out
 * @property {boolean} [readOnly] from the start
 */

/** @param {Props} props */
export function Editor(props) {
    const { host, view } = useEditor(props);
    const { marks, line } = props;
    useEffect(() => {
        const editor = view.current;
        if (editor) {
            editor.dispatch(setDiagnostics(editor.state, (marks || []).map((mark) => diagnostic(editor.state, mark))));
        }
    }, [marks]);
    useEffect(() => {
        const editor = view.current;
        if (!editor) return;
        /** @type {import("../vendor/vendor.js").StateEffect<any>[]} */
        const effects = [showLine.of(line ?? null)];
        if (line && line <= editor.state.doc.lines) {
            effects.push(EditorView.scrollIntoView(editor.state.doc.line(line).from, { y: "nearest" }));
        }
        editor.dispatch({ effects });
    }, [line]);
    return html`<div class="editor" ref=${host}></div>`;
}
