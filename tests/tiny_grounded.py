"""Small random networks that find boxes and masks, in the Hub's layout: fixtures for whoever imports them."""

from pathlib import Path

import pytest
import torch

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "the", "a", "dog", "hat", "bear"]


@pytest.fixture(scope="session")
def tiny_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Grounding DINO that looks at 64 pixels and finds some boxes in anything."""
    from transformers import (
        BertConfig,
        BertTokenizerFast,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        SwinConfig,
    )
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("models") / "tiny-detector"
    sizes = {"embed_dim": 8, "depths": [1, 1, 1], "num_heads": [2, 2, 2], "window_size": 4, "image_size": 64}
    swin = SwinConfig(**sizes, out_features=["stage2", "stage3"])
    bert = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    layers = {f"{side}_{what}": 2 for side in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    widths = {"d_model": 32, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "num_queries": 6, "num_feature_levels": 2}
    config = GroundingDinoConfig(backbone_config=swin, text_config=bert, max_text_len=16, **layers, **widths)
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    words = folder.with_name("words.txt")
    words.write_text("\n".join(WORDS))
    BertTokenizerFast(vocab=str(words)).save_pretrained(folder)
    GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_sam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SAM that looks at 64 pixels."""
    from transformers import SamConfig, SamMaskDecoderConfig, SamModel, SamPromptEncoderConfig, SamVisionConfig
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    torch.manual_seed(6)
    folder = tmp_path_factory.mktemp("models") / "tiny-sam"
    vision = SamVisionConfig(
        hidden_size=16, output_channels=16, num_hidden_layers=1, num_attention_heads=2, image_size=64, patch_size=8,
        num_pos_feats=8, window_size=4, global_attn_indexes=[0], mlp_dim=32,
    )  # fmt: skip
    prompts = SamPromptEncoderConfig(hidden_size=16, image_size=64, patch_size=8, image_embedding_size=8)
    decoder = SamMaskDecoderConfig(
        hidden_size=16, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=16
    )
    SamModel(
        SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    ).save_pretrained(folder)
    SamImageProcessorPil(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}, mask_size={"longest_edge": 16}
    ).save_pretrained(folder)
    return folder
