"""The studio as people use it: a real browser, a real server in a process of its own, clicks, keys and files."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_run import png, write_bench, write_logs

from tutelage.studio.ratings import Store
from tutelage.studio.streams import RELAYED
from tutelage.studio.toys import toy, toy_name

PLACES = map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"))
CHROMIUM = next((path for path in PLACES if path.exists()), None)
sync_api = pytest.importorskip("playwright.sync_api", reason="the extra `dev` is not installed: no Playwright")
pytestmark = [pytest.mark.e2e, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

RIGHTMOST = """() => Math.max(...[...document.querySelectorAll('button, input, textarea, img')]
    .filter((one) => one.offsetParent && !one.closest('.toys, .scroll, .visually-hidden'))
    .map((one) => one.getBoundingClientRect().right))"""
"""Where what can be seen or used ends, but for what scrolls by itself."""
FIRST = {"generate": "#draw", "edit": "#edit", "corpus": "#gallery .card", "rate": "#start", "runs": "#progress .lead"}
"""Tab → what is there when it is."""
ASKED = "**/queue/join*"
"""Where pages ask for what handlers do."""
SERVER = """() => {
    let asked = 0, streams = 0;
    const letters = new TextEncoder();
    const stream = (messages) => new Response(new ReadableStream({start: async (to) => {
        if (++streams === 1) await new Promise((close) => { window.close = close; });
        messages.forEach((one) => to.enqueue(letters.encode(`data: ${JSON.stringify(one)}\\n\\n`)));
        to.close();
    }}));
    window.fetch = async (request) => {
        if (request.url.endsWith('join')) return Response.json({event_id: `${++asked}`});
        const done = {msg: 'process_completed', event_id: '1'}, closing = {msg: 'close_stream'};
        return stream(streams ? [done, closing] : [closing]);
    };
}"""
"""A server that closes its first stream when it is told to, and answers into the second."""
ASKS = """async () => {
    const stop = new AbortController(), order = [], studio = 'http://studio/queue/';
    const answers = await fetch(studio + 'data', {signal: stop.signal});
    await fetch(studio + 'join', {method: 'POST'});
    window.close();
    let said = '';
    for await (const part of answers.body.pipeThrough(new TextDecoderStream())) said += part;
    const late = fetch(studio + 'join', {method: 'POST'}).then(() => order.push('answered'));
    await new Promise((then) => setTimeout(then, 50));
    order.push('closed');
    stop.abort();
    await late;
    return [said.trim().split('\\n\\n').map((one) => JSON.parse(one.slice(5))), order];
}"""
"""What Gradio does when somebody asks just before its stream closes, and again before it has read so."""
FAULTS = """() => {
    window.faults = [];
    new MutationObserver((changes) => changes.forEach((one) => one.addedNodes.forEach((node) => {
        const toast = node.matches?.('.toast-body') ? node : node.querySelector?.('.toast-body');
        if (toast) window.faults.push(toast.innerText);
    }))).observe(document.body, {childList: true, subtree: true});
}"""
"""Keeps the words of every notice from now on: notices go by themselves."""
PATIENCE = 180_000
"""Milliseconds: how long something takes says how busy the machine is."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secret-place") / "tiny-run"
    folder.mkdir()
    write_logs(folder)
    write_bench(folder)
    return folder


@pytest.fixture(scope="module")
def server(
    run: Path, tiny_student: Path, tiny_editor: Path, tiny_sd: Path
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a studio, and its process."""
    command = [sys.executable, "-m", "tutelage", "studio", str(run), "--port", "0", "--device", "cpu"]
    command += ["--student", str(tiny_student), "--base", str(tiny_sd), "--editor", str(tiny_editor)]
    with (run.parent / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, said + (run.parent / "server.log").read_text()
        yield found[0], process
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, server: tuple[str, Any]) -> Iterator[Any]:
    """A page of the studio that must not ask anybody else for anything."""
    opened, asked = new_page(browser, server[0])
    yield opened
    opened.close()
    assert [url for url in asked if not url.startswith((server[0], "data:", "blob:"))] == []


def new_page(browser: Any, url: str, **options: Any) -> tuple[Any, list[str]]:
    page, asked = browser.new_page(**options), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector("#draw")
    return page, asked


def tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def choose(page: Any, knob: str, option: str) -> None:
    page.locator(f"#{knob} input").first.click()
    page.get_by_role("option", name=option, exact=True).click()


def until(page: Any, place: str, text: str) -> None:
    page.wait_for_function(
        "([place, text]) => document.querySelector(place)?.innerText.includes(text)", arg=[place, text]
    )


def settings_of(download: Any) -> dict[str, Any]:
    """The settings in a picture that was downloaded."""
    with Image.open(download.path()) as image:
        told: dict[str, Any] = json.loads(image.info["tutelage"])
    return told


def start_rating(page: Any, rater: str, pictures: int) -> None:
    tab(page, "Rate")
    sit_down(page, rater, pictures)


def sit_down(page: Any, rater: str, pictures: int) -> None:
    page.locator("#most input").fill(str(pictures))
    page.locator("#rater textarea, #rater input").first.fill(rater)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rating")


def rate_one(*pages: Any, keys: str = "110") -> None:
    """All press their keys before any waits for the next picture."""
    tokens = [page.get_attribute(".rating", "data-token") for page in pages]
    for page in pages:
        press_keys(page, keys)
    for page, token in zip(pages, tokens, strict=True):
        page.wait_for_function("token => document.querySelector('.rating')?.dataset.token !== token", arg=token)


def press_keys(page: Any, keys: str) -> None:
    for key in (*keys, "Enter"):
        page.keyboard.press(key)


def walk_to(page: Any, place: str) -> None:
    """With the Tab key, as often as it takes."""
    for _ in range(100):
        if page.evaluate("place => document.activeElement?.matches(place)", place):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {place} with the keyboard")


def test_a_subject_is_brought_and_drawn(page: Any, tmp_path: Path, run: Path) -> None:
    (tmp_path / "bear.png").write_bytes(png("bear", 40))
    (tmp_path / "broken.png").write_bytes(png("bear")[:200])
    page.locator("#toys [data-value='3']").click()
    sync_api.expect(page.locator("#subject figure").first.locator("img")).to_have_attribute(
        "alt", re.compile(toy_name(3))
    )
    page.locator("#subject input[type=file]").set_input_files([tmp_path / "bear.png", tmp_path / "broken.png"])
    page.wait_for_function("document.querySelectorAll('#subject figure').length === 1")
    until(page, "body", "broken.png is damaged or cut short")
    page.locator("#subject-name textarea, #subject-name input").first.fill("bear toy")
    before = page.input_value("#prompt textarea")
    page.get_by_role("button", name="accessory", exact=True).click()
    page.wait_for_function("before => document.querySelector('#prompt textarea').value !== before", arg=before)
    page.get_by_label("Base: reads the prompt alone").check()
    page.locator("#count input[type=number]").fill("16")
    page.click("#draw")
    page.wait_for_selector("#results .going")
    page.click("#stop")
    page.wait_for_selector("#results .going", state="detached")
    assert not page.locator("#results .waiting").count()
    page.locator("#count input[type=number]").fill("1")
    page.locator("#subject-guidance input[type=number]").fill("2.5")
    page.locator("#text-guidance input[type=number]").fill("4")
    page.get_by_text("Seed, steps, what to avoid").click()
    page.locator("#seed input").fill("77")
    page.locator("#steps input[type=number]").fill("3")
    page.locator("#negative textarea, #negative input").first.fill("rain")
    page.click("#draw")
    page.wait_for_selector("#results .going")
    page.wait_for_function(
        "document.querySelectorAll('#results figure img').length === 2 && !document.querySelector('#results .going')"
    )
    with page.expect_download() as download:
        page.get_by_text("Download").first.click()
    told = settings_of(download.value)
    assert (told["seed"], told["steps"], told["negative"]) == (77, 3, "rain")
    assert (told["guidance"], told["subject_guidance"], len(told["demonstrations"])) == (4, 2.5, 1)
    assert told["demonstrations"][0]["caption"] == "bear toy"
    page.get_by_role("button", name="Attention").first.click()
    page.wait_for_selector("#attention figure img")
    assert page.locator("#attention figure").count() == 2
    assert "100 %" in page.inner_text("#attention")
    assert "secret-place" not in page.content()


def test_a_picture_is_edited_by_student_and_specialist_side_by_side(page: Any, tmp_path: Path) -> None:
    (tmp_path / "toy.png").write_bytes(toy(2)[0].picture.data)
    tab(page, "Edit")
    page.locator("#source input[type=file]").set_input_files(tmp_path / "toy.png")
    page.get_by_role("button", name="style", exact=True).click()
    instruction = page.locator("#instruction textarea, #instruction input").first
    sync_api.expect(instruction).to_have_value(re.compile("^turn it into"), timeout=PATIENCE)
    instruction.fill(f"remove the {toy_name(2)}")
    page.get_by_text("Guidance, steps, seed").click()
    page.locator("#edit-steps input[type=number]").fill("4")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.wait_for_function("document.querySelectorAll('#edits .slider').length === 2")
    page.wait_for_selector("#edits .going", state="detached")
    assert page.locator("#edits h3").all_inner_texts()[1].startswith("Specialist")
    until(page, "#edits", f"removal: masks “the {toy_name(2)}”")
    before, after = (page.locator("#edits .slider img").nth(at).get_attribute("src") for at in range(2))
    assert before != after
    handle = page.locator("#edits .slider input").first
    handle.focus()
    page.keyboard.press("Home")
    assert "--at: 0%" in (page.locator("#edits .slider").first.get_attribute("style") or "")
    with page.expect_download() as download:
        page.locator("#edits").get_by_text("Download").last.click()
    assert settings_of(download.value)["model"].startswith("removal of ")
    assert "secret-place" not in page.content()


def test_a_corpus_is_filtered_and_judged_by_hand(page: Any, run: Path, make_corpus) -> None:
    tab(page, "Corpus")
    until(page, "#no-corpus", "no corpus yet")
    make_corpus(run / "corpus", 30)
    page.reload()
    tab(page, "Corpus")
    until(page, "#found", "30 triplets of 30")
    choose(page, "stage", "rejected")
    until(page, "#found", "10 triplets of 30")
    choose(page, "skill", "view")
    until(page, "#found", "10 triplets of 30")
    choose(page, "judge", "ΔCLIP")
    page.get_by_label("would be the new threshold").check()
    until(page, "#found", "Kept now 20")
    choose(page, "stage", "drawn")
    choose(page, "skill", "all")
    page.locator("#low input[type=number]").fill("0.5")
    page.keyboard.press("Enter")
    until(page, "#found", "Kept now 20, then 12: 12 leave and 4 join")
    sync_api.expect(page.locator("#gallery .badge", has_text="would leave")).to_have_count(12, timeout=PATIENCE)
    sync_api.expect(page.locator("#gallery .badge", has_text="would join")).to_have_count(4, timeout=PATIENCE)
    choose(page, "licence", "unknown")
    choose(page, "task", "subject-driven")
    until(page, "#found", "of those that the filters show, 10")
    page.locator("#gallery .card").first.click()
    until(page, "#triplet", "What the judges said")
    page.click("#reject")
    until(page, "body", "say why it is rejected")
    page.locator("#reason textarea, #reason input").first.fill("no bear")
    page.click("#reject")
    until(page, "#triplet", "no bear")
    until(page, "#funnel", "after Person")
    until(page, "#triplet", "what they say counts")


def test_a_knob_moved_while_a_judge_is_chosen_is_heard(page: Any, run: Path, make_corpus) -> None:
    """What was asked for before the sliders had the judge's range comes to the server after they have it."""
    if not (run / "corpus").exists():
        make_corpus(run / "corpus", 30)
        page.reload()
    tab(page, "Corpus")
    until(page, "#found", "30 triplets of 30")
    page.evaluate(FAULTS)
    held: list[Any] = []
    page.route(ASKED, lambda route: held.append(route))
    with page.expect_request(ASKED):
        choose(page, "judge", "ΔCLIP")
    with page.expect_request(ASKED):
        choose(page, "skill", "view")
    held[0].continue_()
    page.wait_for_selector("#high input[type=number]:enabled")  # they have the judge's range
    page.unroute(ASKED)  # lets go of what was held
    until(page, "#found", "10 triplets of 30")
    choose(page, "judge", "none")
    choose(page, "task", "editing")
    until(page, "#found", "0 triplets of 30")
    assert page.evaluate("window.faults") == []


def test_a_run_is_watched_while_it_goes_on(page: Any, run: Path) -> None:
    tab(page, "Runs")
    until(page, "#progress", "18 triplets, 15 kept")
    with (run / "taught" / "log.jsonl").open("a") as file:
        file.write(json.dumps({"shard": 3, "assignments": 6, "triplets": 6, "kept": 6, "time": time.time()}) + "\n")
    until(page, "#progress", "24 triplets, 21 kept")
    until(page, "#progress", "at work")
    (run / "student").mkdir()
    (run / "student" / "config.json").write_text(json.dumps({"config": {"schedule": {"steps": 100}}}))
    now = time.time()
    rows = [{"step": n, "loss": 1 / n, "time": now + n / 2} for n in range(1, 9)]
    (run / "student" / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    until(page, "#progress", "step 8 of 100")
    until(page, "#progress", "2.0 steps a second")
    page.wait_for_selector("#progress .chart path, #progress .chart polyline")
    with page.expect_popup() as report:
        page.get_by_text("Open the report").click()
    report.value.wait_for_selector("h1", timeout=PATIENCE)
    assert "Report of a run" in report.value.content()
    assert "secret" not in report.value.content()


def test_it_fits_a_phone_and_names_no_folder(
    browser: Any, server: tuple[str, Any], run: Path, make_corpus: Any
) -> None:
    if not (run / "corpus").exists():
        make_corpus(run / "corpus", 30)
    page, _ = new_page(browser, server[0], viewport={"width": 390, "height": 844})
    for name in ("generate", "edit", "corpus", "rate", "runs"):
        if not page.locator(f"[data-tab-id={name}]:visible").count():
            page.locator(".overflow-menu button").first.click()
        page.locator(f"[data-tab-id={name}]:visible").first.click()
        page.locator(FIRST[name]).first.wait_for()
        if name == "rate":
            sit_down(page, "dora", 2)
        if name == "corpus":
            page.locator("#gallery .card").first.click()
            page.wait_for_selector("#triplet .detail")
        sync_api.expect(page.locator(".toast-body")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert page.evaluate(RIGHTMOST) <= 390, name
    assert "secret-place" not in page.content() + page.request.get(f"{server[0]}/config").text()
    page.close()


def test_twenty_are_rated_with_the_keyboard_alone_and_blind(page: Any, run: Path) -> None:
    walk_to(page, "[data-tab-id=rate]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rater")
    walk_to(page, "#rater textarea, #rater input")
    page.keyboard.type("anna")
    walk_to(page, "#most input")
    page.keyboard.press("Control+A")
    page.keyboard.type("20")
    walk_to(page, "#start, #start button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rating")
    assert not re.search(r"student|render", page.inner_html("#rate"), re.I)
    for _ in range(3):
        rate_one(page, keys="111")
    page.keyboard.press("Backspace")
    page.wait_for_function("document.querySelectorAll('.aspect [aria-pressed=true]').length === 3")
    rate_one(page, keys="000")
    page.reload()
    start_rating(page, "anna", 20)
    until(page, ".rating .going", "3 of 20")
    for _ in range(17):
        rate_one(page)
    page.wait_for_selector("#done")
    said = Store(run, "suti").of("anna")
    assert len(said) == 20
    assert sorted(said.values()) == sorted([(0, 0, 0)] + [(1, 1, 1)] * 2 + [(1, 1, 0)] * 17)
    page.get_by_text("Results so far").click()
    until(page, "#standings", "overall (AND)")
    page.click("#export")
    until(page, "#files", "anna.tsv")


def test_two_raters_at_once_and_a_killed_server_lose_nothing(browser: Any, server: tuple[str, Any], run: Path) -> None:
    bea, cleo = (new_page(browser, server[0])[0] for _ in range(2))
    for page, rater in ((bea, "bea"), (cleo, "cleo")):
        tab(page, "Rate")
        page.get_by_label("ImagenHub: SC and PQ").check()
        sit_down(page, rater, 20)
    rate_one(cleo, keys="15")
    cleo.get_by_text("Results so far").click()
    until(cleo, "#standings", "1 rater,")
    for _ in range(3):
        rate_one(bea, cleo, keys="50")
    until(cleo, "#standings", "2 raters,")  # by itself
    bea.on("request", lambda request: server[1].kill() if "queue/join" in request.url else None)
    press_keys(bea, "10")
    until(bea, "body", "Connection to the server was lost")
    kept = Store(run, "imagenhub")
    values = list(kept.of("bea").values())
    assert values[:3] == [(0.5, 0)] * 3
    assert values[3:] in ([], [(1, 0)])  # it was not answered, so it may have been kept or not
    assert list(kept.of("cleo").values()) == [(1, 0.5), *[(0.5, 0)] * 3]


def test_no_answer_is_lost_when_its_stream_closes(browser: Any) -> None:
    """Asked for before the close is read, it comes in the next stream; after that, when Gradio knows of the close."""
    page = browser.new_page()
    page.evaluate(SERVER)
    page.add_script_tag(content=RELAYED)
    heard, order = page.evaluate(ASKS)
    page.close()
    assert heard == [{"msg": "process_completed", "event_id": "1"}, {"msg": "close_stream"}]
    assert order == ["closed", "answered"]
