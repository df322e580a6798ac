"""Control tokens of model families, in the words of the files that they were published in.

A source is a repository and the file in it that writes the tokens.
"""

from typing import NamedTuple

_FACTORY = "hiyouga/LLaMA-Factory src/llamafactory/data/template.py"
_FACTORY_MEDIA = "hiyouga/LLaMA-Factory src/llamafactory/data/mm_plugin.py"
_FASTCHAT = "lm-sys/FastChat fastchat/conversation.py"
_LLAMA_CPP = "ggml-org/llama.cpp models/templates"
_OLLAMA = "ollama/ollama model"
_XINFERENCE = "xorbitsai/inference xinference/model/llm/llm_family.json"


class Family(NamedTuple):
    source: str
    tokens: tuple[str, ...]


def _family(source: str, tokens: str) -> Family:
    return Family(source, tuple(tokens.split()))


FAMILIES = {
    "Qwen": _family(
        _XINFERENCE,
        "<|im_start|> <|im_end|> <|endoftext|> <|vision_start|> <|vision_end|> <|image_pad|>"
        " <|video_pad|> <|audio_bos|> <|AUDIO|> <tool_call> </tool_call> <tool_response>"
        " </tool_response> <tools> </tools> <think> </think>",
    ),
    "Llama 2": _family(
        "ggml-org/llama.cpp src/llama-chat.cpp", "<s> </s> [INST] [/INST] <<SYS>> <</SYS>>"
    ),
    "Llama 3": _family(
        _XINFERENCE,
        "<|begin_of_text|> <|start_header_id|> <|end_header_id|> <|eot_id|> <|eom_id|>"
        " <|end_of_text|> <|python_tag|> <|image|>",
    ),
    "Llama 4": _family(_FACTORY, "<|header_start|> <|header_end|> <|eot|> <|eom|>"),
    "Llama 3.1, Reflection": _family(
        "MiMiGame-1/Reflection-Llama-3.1-70B special_tokens_map.json",
        "<thinking> </thinking> <output> </output> <reflection> </reflection>",
    ),
    "DeepSeek": _family(
        f"{_OLLAMA}/parsers/cogito.go",
        "<｜tool▁calls▁begin｜> <｜tool▁calls▁end｜> <｜tool▁call▁begin｜> <｜tool▁sep｜>"
        " <｜tool▁outputs▁begin｜> <｜tool▁output▁end｜>",
    ),
    "DeepSeek, turns": _family(
        _XINFERENCE,
        "<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜Assistant｜> <|EOT|>",
    ),
    "Mistral": _family(
        f"{_FACTORY}, ollama/ollama model/parsers/ministral.go",
        "[INST] [/INST] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS]"
        " [TOOL_CALLS] [TOOL_RESULTS] [/TOOL_RESULTS] [ARGS] [THINK] [/THINK] [IMG]",
    ),
    "Gemma": _family(
        "HakunaMatata888/gemma2-poem tokenizer_config.json",
        "<pad> <eos> <bos> <unk> <mask> <2mass> [@BOS@] <unused0> <unused99>",
    ),
    "Gemma 3": _family(
        f"{_FACTORY}, {_XINFERENCE}",
        "<start_of_turn> <end_of_turn> <start_of_image> <image_soft_token> <audio_soft_token>",
    ),
    "FunctionGemma": _family(
        f"{_OLLAMA}/parsers/functiongemma.go, renderers/functiongemma.go",
        "<start_function_call> <end_function_call> <start_function_declaration>"
        " <end_function_response> <escape>",
    ),
    "Gemma 4": _family(
        f"{_LLAMA_CPP}/gemma4.jinja",
        '<|turn> <turn|> <|channel> <channel|> <|tool> <tool|> <|tool_call> <tool_call|> <|"|>'
        " <|tool_response> <tool_response|> <|think|>",
    ),
    "Falcon": _family(
        "RUCAIBox/LLMSurvey Experiments/MathematicalReasoning/prompt_pattern.py",
        ">>QUESTION<< >>ANSWER<<",
    ),
    "Fuyu": _family(
        "huggingface/transformers src/transformers/models/fuyu/processing_fuyu.py",
        "|SPEAKER| |NEWLINE|",
    ),
    "PaliGemma": _family(
        "huggingface/transformers src/transformers/models/paligemma/processing_paligemma.py",
        "<image> <loc0000> <loc1023> <seg000> <seg127>",
    ),
    "Phi": _family(_FACTORY, "<|system|> <|user|> <|assistant|> <|end|> <|tool|> <|/tool|>"),
    "Phi 4": _family(_XINFERENCE, "<|im_sep|>"),
    "GLM": _family(
        _XINFERENCE,
        "[gMASK] <sop> <|observation|> <|begin_of_image|> <|end_of_image|> <arg_key> </arg_key>"
        " <arg_value> </arg_value>",
    ),
    "gpt-oss": _family(
        _XINFERENCE, "<|start|> <|channel|> <|message|> <|call|> <|return|> <|end|>"
    ),
    "Command R": _family(
        f"{_FACTORY}, {_OLLAMA}/parsers/cohere.go, renderers/cohere.go",
        "<BOS_TOKEN> <|START_OF_TURN_TOKEN|> <|END_OF_TURN_TOKEN|> <|USER_TOKEN|>"
        " <|CHATBOT_TOKEN|> <|SYSTEM_TOKEN|> <|START_THINKING|> <|END_ACTION|>"
        " <|START_TOOL_RESULT|>",
    ),
    "Granite": _family(_FACTORY, "<|start_of_role|> <|end_of_role|> <|end_of_text|>"),
    "EXAONE": _family(_FACTORY, "[|system|] [|user|] [|assistant|] [|endofturn|]"),
    "Seed-OSS": _family(
        f"{_LLAMA_CPP}/ByteDance-Seed-OSS.jinja",
        "<seed:bos> <seed:eos> <seed:pad> <seed:tool_call> </seed:tool_call> <seed:think>"
        " </seed:think> <seed:cot_budget_reflect> </seed:cot_budget_reflect>",
    ),
    "MiniMax M2": _family(
        f"{_LLAMA_CPP}/unsloth-MiniMax-M2.jinja",
        "]~!b[ ]~b] [e~[ <minimax:tool_call> </minimax:tool_call> <response> </response> <tool>",
    ),
    "MiniMax M3": _family(
        _XINFERENCE, "<]image[> <]video[> <]minimax[> <mm:think> </mm:think> ]~b]"
    ),
    "Nemotron": _family(
        f"{_LLAMA_CPP}/NVIDIA-Nemotron-Nano-v2.jinja",
        "<SPECIAL_10> <SPECIAL_11> <SPECIAL_12> <AVAILABLE_TOOLS> </AVAILABLE_TOOLS> <TOOLCALL>"
        " </TOOLCALL> <TOOL_RESPONSE>",
    ),
    "T5": _family(
        "huggingface/transformers src/transformers/models/t5/tokenization_t5.py",
        "<extra_id_0> <extra_id_1> <extra_id_99>",
    ),
    "InternLM": _family(
        "InternLM/InternLM-XComposer InternLM-XComposer-2.0/finetune/data_mix.py",
        "[UNUSED_TOKEN_145] [UNUSED_TOKEN_146]",
    ),
    "InternVL": _family(_FACTORY_MEDIA, "<img> </img> <IMG_CONTEXT>"),
    "MiniCPM-V": _family(
        f"{_FACTORY_MEDIA}, HwwwwwwwH/MiniCPM-V-2 tokenizer_config.json",
        "<image_id> </image_id> <slice> </slice> <ref> </ref> <box> <quad> <point> </point>",
    ),
    "MiniCPM": _family(_XINFERENCE, "<用户> <AI> <tool_def_sep>"),
    "Idefics, SmolVLM": _family(
        "huggingface/transformers src/transformers/models/idefics3/processing_idefics3.py",
        "<end_of_utterance> <fake_token_around_image> <global-img> <row_1_col_2> <row_10_col_12>",
    ),
    "LLaVA": _family(
        "haotian-liu/LLaVA llava/constants.py", "<image> <im_patch> <im_start> <im_end>"
    ),
    "InfiMM": _family("InfiMM/infimm-zephyr special_tokens_map.json", "<|endofchunk|> <image>"),
    "Kimi": _family(
        f"{_LLAMA_CPP}/Kimi-K3.jinja, {_XINFERENCE}",
        "<|open|> <|sep|> <|close|> <|end_of_msg|> <|im_user|> <|im_middle|> <|media_pad|>"
        " <|tool_calls_section_begin|> [EOS]",
    ),
    "Ling, Bailing": _family(_XINFERENCE, "<role> </role> <|role_end|>"),
    "Hunyuan": _family(
        _FACTORY,
        "<｜hy_User｜> <｜hy_Assistant｜> <｜hy_place▁holder▁no▁2｜> <|extra_4|> <|startoftext|>",
    ),
    "ERNIE": _family(_XINFERENCE, "<|begin_of_sentence|> <|end_of_sentence|>"),
    "ERNIE-VL": _family(
        _FACTORY_MEDIA, "<|IMAGE_START|> <|IMAGE_PLACEHOLDER|> <|IMAGE_END|> <|VIDEO_START|>"
    ),
    "dots": _family(
        _FACTORY, "<|endofsystem|> <|endofuser|> <|endofassistant|> <|img|> <|imgpad|> <|endofimg|>"
    ),
    "Baichuan": _family(_FASTCHAT, "<reserved_102> <reserved_103> <reserved_106> <reserved_107>"),
    "TeleChat": _family(_XINFERENCE, "<_user> <_bot> <_start> <_end>"),
    "InternLM 1": _family(_FASTCHAT, "<|User|> <|Bot|> <eoh> <eoa>"),
    "h2oGPT": _family(_FASTCHAT, "<|endoftext|> <|prompt|> <|answer|>"),
    "OpenAssistant": _family(_FASTCHAT, "<|prompter|> <|assistant|>"),
    "OpenChat": _family(_FASTCHAT, "<|end_of_turn|>"),
    "RedPajama": _family(_FASTCHAT, "<human> <bot>"),
    "Yuan": _family(_FASTCHAT, "<sep> <eod> <n>"),
    "Baize": _family(_FASTCHAT, "[|Human|] [|AI|]"),
    "LFM2": _family(_FACTORY, "<|tool_call_start|> <|tool_call_end|> <|tool_response_start|>"),
    "Laguna": _family(
        f"{_OLLAMA}/renderers/laguna.go",
        "<user> </user> <assistant> </assistant> <system> </system> <available_tools>",
    ),
    "Glimmer": _family(
        f"{_OLLAMA}/parsers/glimmer.go", "<atem:function_calls> <atem:invoke> </atem:parameter>"
    ),
    "Nemotron 3": _family(f"{_OLLAMA}/renderers/nemotron3nano.go", "<_end_think>"),
    "Alfred": _family("ollama/ollama template/alfred.gotmpl", "<start_assistant> <end_message>"),
    "OLMo 3": _family(f"{_OLLAMA}/renderers/olmo3.go", "<functions> </functions> <function_calls>"),
    "bytes of SentencePiece": _family(
        "google/sentencepiece src/model_interface.cc", "<0x00> <0x0A> <0xFF>"
    ),
}
TOKENS = tuple(dict.fromkeys(token for family in FAMILIES.values() for token in family.tokens))
