// Evaluates a C2PA asset rubric over a crJSON document.
// stdin:  {"document": {...}, "variables": {...}, "functions": {name: expression}, "checks": [{id, expression}]}
// stdout: {id: {"value": ...} | {"error": "..."}}
import { readFileSync } from 'node:fs';
import JsonFormula, { dataTypes } from '@adobe/json-formula';

const job = JSON.parse(readFileSync(0, 'utf8'));

// A rubric's named expressions are functions: `$args` are their arguments, and they look at the whole document.
const functions = {};
function evaluate(expression, args) {
  const globals = { ...job.variables, $args: args };
  return new JsonFormula({ ...functions }, null, []).search(expression, job.document, globals);
}
for (const [name, expression] of Object.entries(job.functions)) {
  functions[name] = {
    _func: (args) => evaluate(expression, args),
    _signature: [{ types: [dataTypes.TYPE_ANY], optional: true, variadic: true }],
  };
}

const answers = {};
for (const check of job.checks) {
  try {
    answers[check.id] = { value: evaluate(check.expression, []) };
  } catch (error) {
    answers[check.id] = { error: String(error.message ?? error) };
  }
}
process.stdout.write(JSON.stringify(answers));
