// Page objects: what a person can do on each page, in their words. They take Playwright's page and the address of the server.

export class LoginPage {
  constructor(page, url) {
    this.page = page;
    this.url = url;
  }

  async open(path = '/login') {
    await this.page.goto(this.url + path);
    await this.page.getByLabel('Password').waitFor();
  }

  async logIn(user = 'admin', password = 'admin') {
    await this.page.getByLabel('User').fill(user);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Log in' }).click();
  }

  error() {
    return this.page.getByRole('alert');
  }
}

export class DashboardsPage {
  constructor(page) {
    this.page = page;
  }

  async search(text) {
    await this.page.getByRole('searchbox', { name: 'Search dashboards' }).fill(text);
  }

  async open(title) {
    await this.page.getByRole('link', { name: title }).first().click();
    await this.page.getByRole('heading', { level: 1, name: title }).waitFor();
  }
}

export class DashboardPage {
  constructor(page) {
    this.page = page;
  }

  panel(title) {
    return new Panel(this.page.getByRole('region', { name: title, exact: true }).and(this.page.locator('.panel')), this.page);
  }

  panels() {
    return this.page.locator('.panel');
  }

  rangeText() {
    return this.page.locator('.main span').innerText();
  }

  async chooseRange(label) {
    await this.page.locator('.main').click();
    await this.page.getByRole('button', { name: label, exact: true }).click();
  }

  query() {
    return new URL(this.page.url()).searchParams;
  }
}

export class Panel {
  constructor(root, page) {
    this.root = root;
    this.page = page;
  }

  /** Waits until the panel shows data. */
  async shown() {
    await this.root.locator('xpath=self::*[@data-state="done"]').waitFor();
  }

  /** How many pixels of the graph are painted in some colour other than grey. */
  async paintedPixels() {
    return this.root.locator('canvas').first().evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let painted = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 128 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 40) painted += 1;
      return painted;
    });
  }

  async zoom(from = 0.3, to = 0.6) {
    await this.root.scrollIntoViewIfNeeded();
    const box = await this.root.locator('.u-over').boundingBox();
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width * from, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width * to, y, { steps: 4 });
    await this.page.mouse.up();
  }

  /** The pointer to a place of the graph, as shares of its width and height. */
  async point(x, y) {
    await this.root.scrollIntoViewIfNeeded();
    const box = await this.root.locator('.u-over').boundingBox();
    await this.page.mouse.move(box.x + box.width * x, box.y + box.height * y);
  }

  tooltip() {
    return this.root.locator('.tip');
  }

  /** The stop of the Tab key that goes through a graph's exemplars. */
  exemplars() {
    return this.root.getByRole('slider', { name: 'Exemplars' });
  }

  link(name) {
    return this.root.getByRole('link', { name });
  }

  series() {
    return this.root.locator('.legend button.name');
  }

  lines() {
    return this.root.locator('.row .line');
  }

  /** To the last of the lines that are here. */
  async scrollToEnd() {
    await this.root.getByRole('region', { name: /lines$/ }).focus();
    await this.page.keyboard.press('End');
  }

  /** How many lines the panel says that it has. */
  async lineCount() {
    return Number.parseInt(await this.root.locator('.total').innerText(), 10);
  }

  message() {
    return this.root.locator('.message');
  }

  table() {
    return new Table(this.root);
  }

  trace() {
    return new Waterfall(this.root);
  }

  nodeGraph() {
    return new NodeGraph(this.root);
  }
}

export class Table {
  constructor(root) {
    this.root = root;
  }

  cell(text) {
    return this.root.getByRole('cell', { name: text, exact: true });
  }

  button(name) {
    return this.root.getByRole('button', { name, exact: true });
  }

  /** The edge of a column, which makes it wider. */
  edge(column) {
    return this.root.getByRole('separator', { name: `Width of ${column}`, exact: true });
  }

  async width(column) {
    return Number(await this.edge(column).getAttribute('aria-valuenow'));
  }

  async dragEdge(column, by) {
    const box = await this.edge(column).boundingBox();
    const { mouse } = this.root.page();
    await mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await mouse.down();
    await mouse.move(box.x + box.width / 2 + by, box.y + box.height / 2, { steps: 4 });
    await mouse.up();
  }

  /** Leaves only these values of a column. */
  async filter(column, values) {
    await this.button(`Filter ${column}`).click();
    await this.button('None').click();
    for (const value of values) await this.root.getByRole('checkbox', { name: value, exact: true }).check();
    await this.button('Done').click();
  }
}

export class Waterfall {
  constructor(root) {
    this.root = root;
    this.grid = root.getByRole('treegrid');
  }

  focus() {
    return this.grid.focus();
  }

  /** The rows in the page: those in view. */
  rows() {
    return this.grid.getByRole('row');
  }

  /** How many rows there are, in view or not. */
  async count() {
    return Number(await this.grid.getAttribute('aria-rowcount'));
  }

  current() {
    return this.grid.locator('.row.current');
  }

  details() {
    return this.root.getByRole('complementary');
  }

  find(text) {
    return this.root.getByRole('searchbox', { name: 'Find spans' }).fill(text);
  }
}

export class NodeGraph {
  constructor(root) {
    this.root = root;
  }

  nodes() {
    return this.root.locator('g.node');
  }

  node(name) {
    return this.root.getByRole('button', { name });
  }

  details() {
    return this.root.getByRole('complementary');
  }
}

export class ExplorePage {
  constructor(page, url) {
    this.page = page;
    this.url = url;
  }

  async open() {
    await this.page.getByRole('navigation').getByRole('link', { name: 'Explore' }).click();
    await this.page.getByRole('heading', { name: 'Explore' }).waitFor();
  }

  async choose(datasource) {
    await this.page.getByLabel('Datasource').selectOption({ label: datasource });
  }

  async run(query) {
    const editor = this.page.locator('.cm-content');
    await editor.waitFor();
    await editor.fill(query);
    await this.page.keyboard.press('Escape');
    await this.page.getByRole('button', { name: 'Run' }).click();
  }

  /** Follow new lines; the locator of what arrives. */
  async goLive() {
    await this.page.getByRole('button', { name: 'Live', exact: true }).click();
    return this.page.getByRole('region', { name: /^Live log lines/ }).locator('.row');
  }

  rows() {
    return this.page.getByRole('region', { name: 'Values' }).locator('tbody tr');
  }

  lines() {
    return this.page.getByRole('region', { name: /^Log lines/ }).locator('.row');
  }

  error() {
    return this.page.locator('p.error');
  }
}
