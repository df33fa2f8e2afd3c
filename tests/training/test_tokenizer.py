import pytest

from tutelage.toybox.captions import caption, vocabulary
from tutelage.toybox.sampling import scene_at, subject_at
from tutelage.training.tokenizer import LENGTH, build_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer()


def test_every_known_word_is_one_token(tokenizer):
    assert {word: len(tokenizer(word).input_ids) for word in vocabulary()} == dict.fromkeys(vocabulary(), 3)


def test_an_unknown_word_is_spelled(tokenizer):
    ids = tokenizer("zebra").input_ids[1:-1]
    assert len(ids) > 1
    assert tokenizer.unk_token_id not in ids


def test_captions_fit_and_survive(tokenizer):
    for index in range(300):
        text = caption(scene_at(subject_at(index), index, 0))
        ids = tokenizer(text).input_ids
        assert len(ids) <= LENGTH
        assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ,", ",") == text


def test_saves_its_closed_vocabulary(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    again = type(tokenizer).from_pretrained(tmp_path)
    assert again.init_kwargs["closed_vocabulary"] is True
    assert again("a red bear toy").input_ids == tokenizer("a red bear toy").input_ids
