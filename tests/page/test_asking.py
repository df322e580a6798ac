"""What a person does on the page, and what becomes of it at captioner and reasoner."""

import json

import pytest
from playwright.sync_api import Page, expect

from support.pictures import png
from support.processes import wait_until

FOREVER_S = 60
CAPTION = "Receipt.\nBread: 2.80\nMilk: 1.45\nTOTAL: 13.95"


def picture(text: str, name: str = "receipt.png") -> dict:
    return {"name": name, "mimeType": "image/png", "buffer": png(text)}


def give(page: Page, *texts: str) -> None:
    files = [picture(text, f"{text}.png") for text in texts]
    page.locator("#files").set_input_files(files)


def ask(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")


def finished(page: Page, state: str = "done") -> None:
    expect(page.locator(f".column[data-state={state}]").first).to_be_visible()


# Makes a file in the page and hands it over in an event, as the system does.
HAND_OVER = """([type, bytes, media]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "given.png", {type: media}));
  const event = type === "paste"
    ? new ClipboardEvent(type, {clipboardData: transfer, bubbles: true, cancelable: true})
    : new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted_anywhere(page, captioner, how) -> None:
    page.evaluate(HAND_OVER, [how, list(png(f"by {how}")), "image/png"])
    expect(page.get_by_alt_text("given.png")).to_be_visible()
    ask(page, "What is it?")
    finished(page)
    assert len(captioner.perceptions[0].json["images"]) == 1


def test_what_is_no_picture_is_named_and_not_taken(page) -> None:
    page.evaluate(HAND_OVER, ["drop", [1, 2, 3], "text/plain"])
    expect(page.locator("#toast")).to_have_text("given.png: no picture")
    ask(page, "What is it?")
    expect(page.locator("#toast")).to_contain_text("Give a picture first")


def test_a_pdf_is_asked_about(page, captioner) -> None:
    paper = {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF\n"}
    page.locator("#files").set_input_files([paper])
    expect(page.locator("#thumbs p")).to_have_text("pdf paper.pdf")
    ask(page, "What is it about?")
    finished(page)
    assert captioner.perceptions[0].json["images"][0].startswith("data:application/pdf;base64,")


@pytest.mark.parametrize(("media", "kind"), [("", ""), ("image/heic", "heic ")])
def test_what_the_browser_shows_no_picture_of_has_its_name_instead(page, media, kind) -> None:
    hand_over = HAND_OVER.replace("given.png", "scan.HEIC")
    page.evaluate(hand_over, ["drop", list(b"....ftypheic"), media])
    expect(page.locator("#thumbs p")).to_have_text(f"{kind}scan.HEIC")
    expect(page.get_by_label("Remove scan.HEIC")).to_be_visible()


def test_several_pictures_are_picked_and_one_is_taken_back(page, captioner) -> None:
    give(page, "first", "second", "third")
    page.get_by_label("Remove second.png").click()
    ask(page, "Which?")
    finished(page)
    [asked] = captioner.perceptions
    assert len(asked.json["images"]) == 2


def test_one_click_on_an_example_answers(page, captioner) -> None:
    page.locator(".examples button").first.click()
    finished(page)
    expect(page.locator(".asked")).to_have_text("What is the total on the receipt?")
    assert captioner.perceptions[0].json["images"][0].startswith("data:image/webp")


def test_all_that_was_told_is_shown_with_time_cache_and_tokens(page, captioner, reasoner) -> None:
    captioner.script.caption = CAPTION
    reasoner.script.reasoning = ["The total is in ", "the last line."]
    reasoner.script.texts = ["It says ", "13.95: \\boxed{13.95}."]
    give(page, "all")
    ask(page, "How much?")
    finished(page)
    expect(page.locator(".caption")).to_have_text(CAPTION)
    expect(page.locator(".seen .meta")).to_contain_text("miss")
    expect(page.locator(".seen .meta")).to_contain_text("40 tokens")
    page.get_by_text("tentative response").click()
    expect(page.locator(".tentative .text")).to_have_text("It is \\boxed{42}.")
    expect(page.locator(".thinking .text")).to_have_text("The total is in the last line.")
    expect(page.locator(".final")).to_have_text("13.95")
    expect(page.locator(".prose")).to_contain_text("It says 13.95")
    expect(page.locator(".answer .meta")).to_contain_text("3 tokens")
    for stage in ("perceive", "first token", "reason"):
        expect(page.locator(".timeline")).to_contain_text(stage)


def test_the_same_again_is_a_hit_and_edited_with_the_arrow(page, captioner) -> None:
    give(page, "again")
    ask(page, "The same?")
    finished(page)
    page.keyboard.press("ArrowUp")
    expect(page.locator("#question")).to_have_value("The same?")
    page.keyboard.press("Enter")
    expect(page.locator(".seen .meta")).to_contain_text("hit")
    assert len(captioner.perceptions) == 1


def test_the_caption_streams_and_stop_reaches_the_captioner(page, captioner) -> None:
    captioner.script.between_s = FOREVER_S
    give(page, "caption")
    ask(page, "What streams?")
    expect(page.locator(".caption")).not_to_be_empty()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".seen .meta")).to_have_text("stopped")
    wait_until(lambda: captioner.perceptions[0].left_at, what="the captioner's client left")
    expect(page.get_by_role("button", name="Ask")).to_be_visible()


def test_thinking_streams_open_and_escape_reaches_the_reasoner(page, reasoner) -> None:
    reasoner.script.reasoning = ["Let me look", " and never end"]
    reasoner.script.between_s = FOREVER_S
    give(page, "thinking")
    ask(page, "What do you think?")
    expect(page.locator(".thinking .text")).to_be_visible()
    expect(page.locator(".thinking .text")).to_have_text("Let me look")
    page.keyboard.press("Escape")
    expect(page.locator(".answer .meta")).to_have_text("stopped")
    wait_until(lambda: reasoner.chats[0].left_at, what="the reasoner's client left")


def test_the_answer_streams(page, reasoner) -> None:
    reasoner.script.texts = ["The first piece", " never ends"]
    reasoner.script.between_s = FOREVER_S
    give(page, "answer")
    ask(page, "What is said?")
    expect(page.locator(".prose")).to_have_text("The first piece")
    expect(page.locator(".thinking .text")).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".column")).to_have_attribute("data-state", "stopped")


def test_thinking_stays_open_for_who_opened_it(page, reasoner) -> None:
    reasoner.script.reasoning = ["Hm."]
    reasoner.script.before_s = 0.5
    give(page, "open")
    ask(page, "What is kept open?")
    page.locator(".thinking summary").click()
    finished(page)
    expect(page.locator(".thinking .text")).to_be_visible()


def test_thinking_between_tags_is_no_answer(page, reasoner) -> None:
    reasoner.script.texts = ["<think>The bar", " is high.</think>", "It is \\boxed{42}."]
    give(page, "tags")
    ask(page, "How high?")
    finished(page)
    expect(page.locator(".thinking .text")).to_have_text("The bar is high.")
    expect(page.locator(".prose")).to_have_text("It is 42.")


def test_a_further_question_keeps_the_pictures_and_the_first_can_be_read_again(
    page, captioner, reasoner
) -> None:
    give(page, "kept")
    ask(page, "First?")
    finished(page)
    reasoner.script.texts = ["\\boxed{7}"]
    ask(page, "Second?")
    expect(page.locator(".final")).to_have_text("7")
    first, second = captioner.perceptions
    assert first.json["images"] == second.json["images"]
    assert [first.json["question"], second.json["question"]] == ["First?", "Second?"]
    expect(page.locator("#earlier li")).to_have_count(2)
    page.locator("#earlier li").last.get_by_role("button").click()
    expect(page.locator(".asked")).to_have_text("First?")
    expect(page.locator(".final")).to_have_text("42")
    page.get_by_role("button", name="Start over").click()
    expect(page.locator(".examples button")).to_have_count(3)


def test_two_reasoners_answer_side_by_side_from_one_perception(
    watched, two_reasoners, captioner, reasoner
) -> None:
    page = watched.open(two_reasoners)
    page.get_by_role("button", name="+ compare").click()
    give(page, "compared")
    ask(page, "Who is right?")
    expect(page.locator(".column[data-state=done]")).to_have_count(2)
    expect(page.locator(".column .name")).to_have_text(["default", "other"])
    expect(page.locator(".seen .meta")).to_contain_text("seen once, for both")
    expect(page.locator(".seen")).to_have_count(1)
    assert len(captioner.perceptions) == 1
    prompts = [json.dumps(chat.json["messages"]) for chat in reasoner.chats]
    assert len(prompts) == 2
    assert prompts[0] == prompts[1]
    page.get_by_label("Do not compare with this reasoner").click()
    ask(page, "And alone?")
    expect(page.locator(".column")).to_have_count(1)


def test_one_of_two_reasoners_fails_alone(watched, two_reasoners, reasoner) -> None:
    def broken(asked):
        script = type(reasoner.script)
        return script(status=500) if asked["model"] == "another" else None

    reasoner.script.respond = broken
    page = watched.open(two_reasoners)
    page.get_by_role("button", name="+ compare").click()
    give(page, "one of two")
    ask(page, "Who answers?")
    expect(page.locator(".column").first.locator(".final")).to_have_text("42")
    expect(page.locator(".column").last.get_by_role("alert")).to_contain_text("reasoner")


def test_native_stands_beside_decoupled(watched, mixed, captioner, reasoner) -> None:
    page = watched.open(mixed)
    page.get_by_role("button", name="+ compare").click()
    give(page, "native")
    ask(page, "Who sees?")
    expect(page.locator(".column[data-state=done]")).to_have_count(2)
    expect(page.locator(".column .name")).to_have_text(["default", "native"])
    expect(page.locator(".seen .meta")).to_contain_text("miss")
    expect(page.locator(".column").last.locator(".checked")).to_have_text("")
    assert len(captioner.perceptions) == 1
    asked = {chat.json["model"]: chat.json["messages"][-1]["content"] for chat in reasoner.chats}
    assert isinstance(asked["scripted"], str)
    assert [part["type"] for part in asked["vlm"]] == ["image_url", "text"]


def test_native_answers_where_nothing_can_be_captioned(watched, mixed, captioner) -> None:
    captioner.script.status, captioner.script.plain = 500, {"error": {"message": "broken"}}
    page = watched.open(mixed)
    page.get_by_role("button", name="+ compare").click()
    give(page, "uncaptioned")
    ask(page, "Who still sees?")
    expect(page.locator(".column").last.locator(".final")).to_have_text("42")
    expect(page.locator(".column").first.get_by_role("alert")).to_be_visible()


def test_one_that_sees_alone_needs_no_caption(watched, mixed, captioner) -> None:
    page = watched.open(mixed)
    page.get_by_label("Reasoner 1").select_option("native")
    give(page, "alone")
    ask(page, "What do you see?")
    finished(page)
    expect(page.locator(".final")).to_have_text("42")
    expect(page.locator(".seen .meta")).to_have_text("no caption: the reasoner sees for itself")
    assert captioner.perceptions == []


def test_with_one_reasoner_there_is_nothing_to_compare(page) -> None:
    expect(page.get_by_label("Reasoner 1")).to_have_value("default")
    expect(page.locator("#compare")).to_be_hidden()


def test_evidence_is_marked_both_ways(page, captioner, reasoner) -> None:
    captioner.script.caption = CAPTION
    reasoner.script.texts = ["\\boxed{milk: 1.45}"]
    give(page, "evidence")
    ask(page, "What costs what?")
    finished(page)
    expect(page.locator(".caption mark")).to_have_text(["Milk", "1.45"])
    expect(page.locator(".final mark")).to_have_text(["milk", "1.45"])
    expect(page.locator(".checked")).to_be_empty()
    page.locator(".final mark").last.hover()
    expect(page.locator(".caption mark.lit")).to_have_text("1.45")
    page.locator(".caption mark").first.hover()
    expect(page.locator(".final mark.lit")).to_have_text("milk")


def test_what_stands_nowhere_in_the_caption_is_said_quietly(page, captioner, reasoner) -> None:
    captioner.script.caption = CAPTION
    reasoner.script.texts = ["\\boxed{13.95 of 99}"]
    give(page, "quietly")
    ask(page, "How many percent?")
    finished(page)
    expect(page.locator(".checked")).to_have_text("99: not found in what was seen")
    expect(page.get_by_role("alert")).to_have_count(0)


NOWHERE = "not found in what was seen"
REMARK = """async ([answer, caption]) => {
  const { evidence, remark } = await import("/playground/evidence.js");
  return remark(evidence(answer, caption));
}"""


def test_numbers_are_compared_by_what_they_mean(page) -> None:
    cases = [
        ("99", CAPTION, NOWHERE),
        ("1,395", CAPTION, NOWHERE),
        ("13.950", CAPTION, ""),
        ("Yes", CAPTION, ""),
        ("MILK", CAPTION, ""),
        ("Eggs", CAPTION, NOWHERE),
        ("$1240", "1,240 visitors", ""),
        ("25%", "food: 25 %", ""),
        ("B", "(A) red (B) blue", ""),
        ("C", "(A) red (B) blue", NOWHERE),
        ("9:45", "leaves at 9:45", ""),
        ("Zürich", "nach ZÜRICH", ""),
        ("", CAPTION, ""),
        ("5", "15 and 5.5", NOWHERE),
    ]
    found = [(one, text, page.evaluate(REMARK, [one, text])) for one, text, _ in cases]
    assert found == cases


def test_a_refusal_is_a_state_with_a_hint(page, reasoner) -> None:
    reasoner.script.texts = ["\\boxed{The caption does not tell}"]
    give(page, "refusal")
    ask(page, "Who took it?")
    finished(page, "refused")
    expect(page.locator(".final")).to_have_text("The caption does not tell.")
    expect(page.locator(".checked")).to_contain_text("Another question makes another caption")
    expect(page.get_by_role("alert")).to_have_count(0)


# Every text that the live region ever has.
HEARD = """() => {
  window.heard = [];
  const region = document.getElementById("announcer");
  new MutationObserver(() => window.heard.push(region.textContent))
    .observe(region, {childList: true, characterData: true, subtree: true});
}"""


def test_screen_readers_are_given_whole_sentences(page, reasoner) -> None:
    reasoner.script.texts = ["The first sen", "tence has 4.5 m. The sec", "ond. \\boxed{4}"]
    page.evaluate(HEARD)
    give(page, "sentences")
    ask(page, "What is read out?")
    finished(page)
    heard = page.evaluate("window.heard.filter(Boolean)")
    assert "The first sentence has 4.5 m." in " ".join(heard)
    assert [words for words in heard if words.strip()[-1] not in ".!?:n"] == []
    assert heard[-1].startswith("default answers: 4.")
