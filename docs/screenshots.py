"""Takes the pictures of the studio in docs/img: `python docs/screenshots.py runs/suti`.

It needs the extra `dev`, a Chromium, and a finished run whose corpus nobody writes to; ratings are made in a copy.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tyro
from PIL import Image
from playwright.sync_api import sync_playwright

OUT = Path(__file__).parent / "img"
WIDE = {"width": 1280, "height": 860}
LOADED = """[...document.images]
    .filter((one) => one.offsetParent && one.getBoundingClientRect().top < innerHeight)
    .every((one) => one.complete)"""
"""All pictures in sight."""
PHONE = {"width": 390, "height": 844}


def main(
    run: Path,
    /,
    chromium: Path = Path("/usr/bin/chromium"),
    student: str = "toybox-suti",
    editor: str = "",
    only: tuple[str, ...] = (),
) -> None:
    """Open a studio over a copy of a run and go through its tabs.

    Args:
        run: A finished run.
        chromium: The browser.
        student: Who draws.
        editor: Who edits; empty: the studio's own choice.
        only: Tabs to go to, such as edit; none: all, and a phone.
    """
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        copy = Path(folder) / run.resolve().name
        shutil.copytree(run, copy, ignore=shutil.ignore_patterns("ratings"))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with serving(copy, student, editor) as url:
            page = opened(browser, url, WIDE)
            tabs = {"generate": generate, "edit": edit, "corpus": corpus, "rate": rate, "runs": runs}
            for name in only or tabs:
                tabs[name](page)
                shot(page, name, whole=name == "corpus")
            if only:
                return
            phone = opened(browser, url, PHONE)
            rate(phone, "bea")
            phone.evaluate("document.querySelector('.rating .lead').scrollIntoView()")
            shot(phone, "phone")
        browser.close()


def shot(page: Any, name: str, whole: bool = False) -> None:
    """Take a picture; of a whole page at three quarters of its size, since its bytes stay in history."""
    page.wait_for_function(LOADED)
    picture = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    small = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)) if whole else picture
    small.save(OUT / f"studio-{name}.png", optimize=True)


@contextmanager
def serving(run: Path, student: str, editor: str) -> Iterator[str]:
    """The address of a studio over a run."""
    command = [sys.executable, "-m", "tutelage", "studio", str(run), "--port", "0", "--student", student]
    command += ["--editor", editor] if editor else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        yield found[0]
        process.terminate()


def opened(browser: Any, url: str, size: dict[str, int]) -> Any:
    """A page of the studio."""
    page = browser.new_page(viewport=size)
    page.set_default_timeout(180_000)
    page.goto(url)
    page.wait_for_selector("#draw")
    return page


def tab(page: Any, name: str) -> None:
    """Go to a tab; on a phone it may be in the menu."""
    place = page.locator(f"[data-tab-id={name}]:visible")
    if not place.count():
        page.locator(".overflow-menu button").first.click()
    place.first.click()


def generate(page: Any) -> None:
    """A subject drawn by the student and its base, and where the student looked."""
    page.locator("#toys [data-value='4']").click()
    page.wait_for_selector("#subject img[alt*='dog toy']")
    page.locator("#prompt textarea").fill("a smiling dog toy wearing a crown on the beach")
    page.get_by_label("Base: reads the prompt alone").check()
    page.click("#draw")
    page.wait_for_selector("#results .going")
    page.wait_for_selector("#results .going", state="detached")
    page.get_by_role("button", name="Attention").first.click()
    page.wait_for_selector("#attention figure")
    page.evaluate("window.scrollTo(0, 0)")


def edit(page: Any) -> None:
    """A toy somewhere else, by the student, if there is one, and by the specialist."""
    tab(page, "edit")
    before = page.get_attribute("#source img", "src")
    page.locator("#edit-toys [data-value='4']").click()
    page.wait_for_function("before => document.querySelector('#source img').getAttribute('src') !== before", arg=before)
    page.locator("#instruction textarea, #instruction input").first.fill("put the dog toy in the snow")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.wait_for_selector("#edits .slider")
    page.wait_for_selector("#edits .going", state="detached")


def corpus(page: Any) -> None:
    """What another threshold would change, and one of those triplets."""
    tab(page, "corpus")
    page.wait_for_selector("#gallery .card")
    page.locator("#judge input").click()
    page.get_by_role("option", name="ΔCLIP", exact=True).click()
    page.get_by_label("would be the new threshold").check()
    slider = page.locator("#low input[type=number]:enabled")
    slider.fill("0.15")
    slider.blur()
    page.wait_for_function("document.querySelector('#found')?.innerText.includes(' and 0 join')")
    page.wait_for_function("document.querySelector('#gallery .badge.changes')?.innerText === 'would leave'")
    page.locator("#gallery .card").nth(2).click()
    page.wait_for_selector("#triplet .detail")
    page.evaluate("window.scrollTo(0, 0)")


def rate(page: Any, rater: str = "anna") -> None:
    """Half-way through the rating."""
    tab(page, "rate")
    page.locator("#rater textarea, #rater input").first.fill(rater)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rating")
    for keys in ("111", "101", "110", "111", "011"):
        token = page.get_attribute(".rating", "data-token")
        for key in (*keys, "Enter"):
            page.keyboard.press(key)
        page.wait_for_function("token => document.querySelector('.rating')?.dataset.token !== token", arg=token)
    page.keyboard.press("1")
    page.wait_for_selector(".aspect [aria-pressed=true]")


def runs(page: Any) -> None:
    """The run, finished."""
    tab(page, "runs")
    page.wait_for_selector("#progress .chart")


if __name__ == "__main__":
    tyro.cli(main)
