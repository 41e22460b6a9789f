#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Opens pages of `report --html` in Chromium and uses them as people do, by mouse and keyboard.

usage: html_page.py FOLDER FAULTS VMS

FAULTS is a page of faults with call chains, VMS one of VM exits, in FOLDER; screenshots are put
there. Prints "ok ..." or "not ok ...", one line a check; exit status 1 if some were not ok.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from axe_core import axe_literal
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

failures = 0

# Every text against what is behind it, after WCAG 2's formulas; and what cannot be told by a name.
AUDIT = """
const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const numbers = c => c.match(/[\\d.]+/g).map(Number);
const light = c => { const [r, g, b] = numbers(c).map(linear); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = e => {
	for (; e; e = e.parentElement) {
		const c = getComputedStyle(e).backgroundColor;
		if (numbers(c)[3] !== 0)
			return c;
	}
	return "rgb(255, 255, 255)";
};
const bad = [];
for (const e of document.querySelectorAll("body *")) {
	const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
	if (!own || !e.offsetParent || e.closest("script"))
		continue;
	const a = light(getComputedStyle(e).color), b = light(ground(e));
	const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	if (ratio < 4.5)
		bad.push(e.tagName + " " + e.textContent.trim().slice(0, 30) + " " + ratio.toFixed(2));
}
const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
for (const id of ids)
	if (ids.indexOf(id) !== ids.lastIndexOf(id))
		bad.push("id " + id + " twice");
for (const e of document.querySelectorAll("[aria-labelledby], [aria-controls]"))
	for (const name of ["aria-labelledby", "aria-controls"])
		if (e.hasAttribute(name) && !document.getElementById(e.getAttribute(name)) && e.offsetParent)
			bad.push(e.id + " names what is not there");
return bad;
"""

# Of a map: how many pixels right of its names have the color of events; and a sum that changes with
# any pixel. Read from a copy, for reading makes a canvas slow.
PIXELS = """
const c = arguments[0], copy = new OffscreenCanvas(c.width, c.height);
const g = copy.getContext("2d", { willReadFrequently: true });
g.drawImage(c, 0, 0);
const d = g.getImageData(0, 0, c.width, c.height).data;
let events = 0, sum = 0;
for (let i = 0; i < d.length; i += 4) {
	if (i / 4 % c.width > c.width * 0.31 && d[i + 2] - d[i] > 40)
		events++;
	sum = (sum * 31 + (d[i] << 16 | d[i + 1] << 8 | d[i + 2])) % 1000000007;
}
return [events, sum];
"""


def check(what, good, seen=""):
    global failures
    print(("ok " if good else "not ok ") + what + (f": {seen}" if seen != "" else ""), flush=True)
    failures += not good


def browser():
    options = Options()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1300,950",
                 "--force-device-scale-factor=1"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class Page:
    def __init__(self, driver, path):
        self.driver = driver
        self.path = path
        driver.get("file://" + path)
        self.data = json.loads(driver.find_element(By.ID, "data").get_attribute("textContent"))

    def at(self, name):
        return self.driver.find_element(By.ID, name)

    def says(self, name):
        return self.at(name + "-says").text

    def pixels(self, name):
        return self.driver.execute_script(PIXELS, self.at(name + "-map"))

    def tab(self, name):
        self.at("tab-" + name).click()

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        return self.driver.switch_to.active_element


def quiet(page):
    driver = page.driver
    words = [e["message"] for e in driver.get_log("browser")]
    check("nothing on the console", not words, words[:3])
    asked = set()
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"])
    check("no request leaves the page", asked == {"file://" + page.path}, sorted(asked)[:3])


# What axe-core finds on the page as it is now: its rules, and how it says that it was broken.
AXE = """
const done = arguments[arguments.length - 1];
axe.run(document).then(r => done({
	passes: r.passes.length,
	bad: r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 60)).join(" ")) }),
	e => done({ passes: 0, bad: [String(e)] }));
"""


def axe_source(driver):
    source = axe_literal()
    if not source:
        print("skip axe-core: this Chromium's developer tools have none", flush=True)
        return None
    driver.get("about:blank")
    return driver.execute_script("return " + source)


def axe(page, tabs, source):
    """Each tab by axe-core's rules, in both themes."""
    if not source:
        return
    driver = page.driver
    driver.execute_script(source)
    for theme in ("light", "dark"):
        driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        for tab in tabs:
            page.tab(tab)
            found = driver.execute_async_script(AXE)
            check(f"axe-core, {tab}, {theme}: {found['passes']} rules hold",
                  found["passes"] > 10 and not found["bad"], found["bad"][:5] or "")
    driver.execute_script("delete document.documentElement.dataset.theme")


def accessible(page, tabs):
    driver = page.driver
    for theme in ("light", "dark"):
        driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        for tab in tabs:
            page.tab(tab)
            bad = driver.execute_script(AUDIT)
            check(f"contrast and names, {tab}, {theme}", not bad, bad[:3])
    driver.execute_script("delete document.documentElement.dataset.theme")
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    nameless = [n["role"]["value"] for n in nodes if not n.get("ignored") and
                n.get("role", {}).get("value") in ("button", "textbox", "searchbox", "combobox", "tab",
                                                   "treeitem", "image", "img") and
                not n.get("name", {}).get("value")]
    check("what is used has a name", not nameless, nameless[:3])


def tabs_by_keyboard(page, tabs):
    page.at("tab-" + tabs[0]).click()
    seen = []
    for _ in tabs:
        seen.append(page.focused().get_attribute("id"))
        page.keys(Keys.ARROW_RIGHT)
    check("arrows go through the tabs", seen == ["tab-" + t for t in tabs], seen)
    page.keys(Keys.END)
    check("End is the last tab", page.at("panel-" + tabs[-1]).is_displayed())
    page.keys(Keys.HOME)
    check("Home is the first", page.at("panel-" + tabs[0]).is_displayed())


def map_zoom(page, name):
    page.tab(name)
    canvas = page.at(name + "-map")
    events, whole = page.pixels(name)
    check(f"{name}: the map is drawn", events > 5, f"{events} pixels")
    (ActionChains(page.driver).move_to_element_with_offset(canvas, 0, -100).click_and_hold()
     .move_by_offset(200, 120).release().perform())
    _, part = page.pixels(name)
    check(f"{name}: a drag zooms", part != whole)
    check(f"{name}: what is there is said", "events" in page.says(name), page.says(name))
    canvas.send_keys("0")
    page.driver.execute_script("document.activeElement.blur()")
    page.at(name + "-zoom").find_elements(By.TAG_NAME, "button")[2].click()
    check(f"{name}: all is shown again", page.pixels(name)[1] == whole)
    canvas.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    before = page.says(name)
    check(f"{name}: arrows move", "events" in before, before)
    marked = page.pixels(name)[1]
    canvas.send_keys("+")
    check(f"{name}: + zooms", page.pixels(name)[1] != marked)
    canvas.send_keys("-")
    canvas.send_keys("0")


def flame(page):
    page.tab("flame")
    frames = page.driver.find_elements(By.CSS_SELECTOR, ".frame")
    data = page.data["flame"]
    check("the flame graph is drawn", len(frames) > 5, f"{len(frames)} frames")
    wide = [f.rect for f in frames[:2]]
    check("the root is as wide as all", abs(wide[0]["width"] - wide[1]["width"]) < 3 or
          len(set(data["nodes"][3::3])) > 1, wide)
    total, name = data["nodes"][2], data["names"][data["nodes"][7]]
    page.at("flame-search").send_keys(name)
    found = page.driver.find_elements(By.CSS_SELECTOR, ".frame.found")
    check("search marks frames", found and all(name.lower() in f.text.lower() or not f.text for f in found),
          f"{len(found)} of {name}")
    check("search says how many", "found" in page.says("flame"), page.says("flame"))
    page.at("flame-search").send_keys(Keys.CONTROL, "a")
    page.at("flame-search").send_keys(Keys.DELETE)
    frames = page.driver.find_elements(By.CSS_SELECTOR, ".frame")
    frames[-1].click()
    now = page.focused()
    check("a click zooms", abs(now.rect["width"] - page.at("flame").rect["width"]) < 4, now.rect["width"])
    page.keys(Keys.ARROW_UP)
    check("arrow up is the caller", page.focused().rect["y"] < now.rect["y"])
    page.keys(Keys.ESCAPE)
    check("Escape shows all", len(page.driver.find_elements(By.CSS_SELECTOR, ".frame")) >= len(frames))
    check("the root has all events", f"{total:,} events" in
          page.driver.find_elements(By.CSS_SELECTOR, ".frame")[0].get_attribute("aria-label"))


def column(page, i):
    return [r.find_elements(By.TAG_NAME, "td")[i].text
            for r in page.driver.find_elements(By.CSS_SELECTOR, "#table tbody tr")]


def tables(page, title):
    page.tab("tables")
    choice = page.at("table-choice")
    choice.send_keys(title)
    want = next(t for t in page.data["tables"] if t["title"] == title)["report"]["groups"]
    check(f"table {title}: every row", len(column(page, 1)) == len(want), len(want))
    numbers = [int(n.replace(",", "")) for n in column(page, 1)]
    check("most events first", numbers == sorted(numbers, reverse=True))
    page.driver.find_elements(By.CSS_SELECTOR, "#table th button")[1].click()
    numbers = [int(n.replace(",", "")) for n in column(page, 1)]
    check("a click turns it round", numbers == sorted(numbers))
    page.driver.find_elements(By.CSS_SELECTOR, "#table th button")[-1].send_keys(Keys.ENTER)
    words = column(page, -1)
    check("Enter sorts by name", words == sorted(words), words[:3])
    check("aria-sort says so", page.driver.find_elements(By.CSS_SELECTOR, "#table th")[-1]
          .get_attribute("aria-sort") == "ascending")
    page.at("table-filter").send_keys(words[0])
    check("the filter leaves rows with the word", 0 < len(column(page, 1)) <= len(words))
    page.at("table-filter").clear()


def walks(page):
    page.tab("walks")
    first = page.data["slowest"][0]
    text = page.at("walk").text
    check("a fault's facts", first["address"] in text and first["outcome"] in text, first["address"])
    levels = page.driver.find_elements(By.CSS_SELECTOR, ".level")
    check("a fault's walk, level by level", len(levels) == 2 + max(
        len((first[w] or {"levels": []})["levels"]) for w in ("walk_before", "walk_after")), len(levels))
    page.at("walk-choice").send_keys(Keys.ARROW_DOWN)
    check("another fault", page.data["slowest"][1]["address"] in page.at("walk").text)


def narrow(page, tabs, folder):
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": False})
    for tab in tabs:
        page.tab(tab)
        width = page.driver.execute_script("return document.documentElement.scrollWidth")
        check(f"375 px wide: {tab}", width <= 375, width)
    page.driver.save_screenshot(os.path.join(folder, "narrow.png"))
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def screenshots(page, tabs, folder, prefix):
    for tab in tabs:
        page.tab(tab)
        page.driver.save_screenshot(os.path.join(folder, f"{prefix}-{tab}.png"))


def main():
    folder, faults, vms = (os.path.abspath(a) for a in sys.argv[1:4])
    driver = browser()
    try:
        source = axe_source(driver)
        all_tabs = ["overview", "space", "latency", "flame", "tables", "walks"]
        page = Page(driver, faults)
        shown = [t.get_attribute("id")[4:] for t in driver.find_elements(By.CSS_SELECTOR, "[role=tab]")]
        check("tabs of faults", shown == all_tabs, shown)
        tabs_by_keyboard(page, all_tabs)
        map_zoom(page, "space")
        flame(page)
        tables(page, "Outcomes")
        walks(page)
        accessible(page, all_tabs)
        axe(page, all_tabs, source)
        screenshots(page, all_tabs, folder, "faults")
        narrow(page, all_tabs, folder)
        quiet(page)
        page = Page(driver, vms)
        vm_tabs = ["overview", "latency", "tables", "vms"]
        shown = [t.get_attribute("id")[4:] for t in driver.find_elements(By.CSS_SELECTOR, "[role=tab]")]
        check("tabs of VMs", shown == vm_tabs, shown)
        map_zoom(page, "vms")
        map_zoom(page, "latency")
        tables(page, "VM exits")
        accessible(page, vm_tabs)
        axe(page, vm_tabs, source)
        screenshots(page, vm_tabs, folder, "vms")
        quiet(page)
    finally:
        driver.quit()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
