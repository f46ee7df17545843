// Opens a file in speedscope's own page, in Chromium:
//   node speedscope.js SPEEDSCOPE_FOLDER FILE [SCREENSHOT]
// Prints what the page shows, as JSON: its title, the profiles with their lengths, and the sandwich view of the
// first one: a function's total and own time. Errors of the page, and requests beyond its own files, come too.
'use strict';
const path = require('path');
const {chromium} = require('playwright-core');

async function main(folder, file, screenshot) {
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox']});
  const page = await browser.newPage({viewport: {width: 1200, height: 700}});
  const errors = [];
  const requests = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('request', (request) => request.url().startsWith('http') && requests.push(request.url()));
  page.on('dialog', (dialog) => { errors.push(dialog.message()); dialog.dismiss(); });
  await page.goto('file://' + path.join(folder, 'dist/release/index.html'));
  await page.setInputFiles('input[type=file]', file);
  await page.waitForFunction(() => document.title !== 'speedscope' && document.querySelector('canvas'), null, {timeout: 30000});
  if (screenshot) await page.screenshot({path: screenshot});
  await page.keyboard.press('3');
  await page.waitForFunction(() => document.body.innerText.includes('Symbol Name'));
  const cells = await page.$$eval('table tr', (rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent.trim())));
  // The list of profiles has numbers in front, the sandwich view times.
  const profiles = cells.filter((row) => /^\d+$/.test(row[0])).map(([, name, length]) => ({name, length}));
  const functions = cells.filter((row) => / ?\(/.test(row[0] || '')).map(([total, own, name]) => ({name, total, own}));
  console.log(JSON.stringify({title: await page.title(), profiles, functions, errors, requests}));
  await browser.close();
}

main(...process.argv.slice(2)).catch((error) => { console.error(error); process.exit(1); });
