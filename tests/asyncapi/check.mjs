// Prints a line for each error that the official parser finds in the AsyncAPI document on standard input.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'package.json'));
const { DiagnosticSeverity, Parser } = require('@asyncapi/parser');
const { document, diagnostics } = await new Parser().parse(readFileSync(0, 'utf8'));
const errors = diagnostics.filter((found) => found.severity === DiagnosticSeverity.Error);
for (const error of errors) {
  console.log(`${error.path.join('.')}: ${error.message}`);
}
if (!document && errors.length === 0) {
  console.log('the document cannot be read');
}
