// Drives chromium for browser.py: one JSON object a line on stdin, one answer a line on stdout.
//   node bridge.mjs PLAYWRIGHT_CORE CHROMIUM
import {createInterface} from 'node:readline';
import {createRequire} from 'node:module';

const [playwrightCore, executablePath] = process.argv.slice(2);
const {chromium} = createRequire(import.meta.url)(playwrightCore);

// Without its sandbox chromium also starts as root, which CI is; the page is one of our own.
const browser = await chromium.launch({executablePath, args: ['--no-sandbox']});
let page = null;
let problems = [];

const commands = {
  async open({file, width, height, dark, script}) {
    if (page) await page.context().close();
    problems = [];
    const context = await browser.newContext({
      viewport: {width, height}, colorScheme: dark ? 'dark' : 'light', javaScriptEnabled: script,
    });
    page = await context.newPage();
    page.setDefaultTimeout(60000);
    page.on('console', (message) => problems.push(message.type() + ': ' + message.text()));
    page.on('pageerror', (error) => problems.push('error: ' + error.stack));
    page.on('request', (request) => {
      if (request.url() !== 'file://' + file) problems.push('request: ' + request.url().slice(0, 200));
    });
    await page.goto('file://' + file);
    if (script) await page.waitForSelector('body[data-ready]');
  },
  evaluate: ({script}) => page.evaluate(script),
  async mouse({steps}) {
    for (const [action, ...values] of steps) await page.mouse[action](...values);
  },
  press: ({key}) => page.keyboard.press(key),
  fill: ({selector, text}) => page.locator(selector).fill(text),
  click: ({selector}) => page.locator(selector).first().click(),
  box: ({selector}) => page.locator(selector).first().boundingBox(),
  text: ({selector}) => page.locator(selector).first().innerText(),
  screenshot: async ({file, whole}) => { await page.screenshot({path: file, fullPage: whole}); },
  problems: () => problems,
};

for await (const line of createInterface({input: process.stdin})) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = {result: await commands[request.command](request) ?? null};
  } catch (error) {
    answer = {error: String(error)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
