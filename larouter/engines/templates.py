"""Chat templates of older models, taught to show tools.

The engine renders a conversation with the template that the model's file carries. Where that
template has no place for tools, they would be dropped without a word and a forced call ignored.
For plain ChatML, the dialect of most small models, `with_tools` adds the widespread Hermes form;
a conversation without tools is rendered as before, to the letter.
"""

from __future__ import annotations

import re

_DEFAULT_SYSTEM = re.compile(r"<\|im_start\|>system(?:\\n|\n)([^'\"<{}|]*)<\|im_end\|>")

# The engine finds out how a call is written by rendering conversations with and without one, so
# everything but the call has to be the same in both.
_CHATML = """\
{%- if messages[0]['role'] == 'system' -%}
{%- set system = messages[0]['content'] -%}
{%- else -%}
{%- set system = '@DEFAULT@' -%}
{%- endif -%}
{%- if tools -%}
{{- '<|im_start|>system\\n' + system -}}
{{- '\\n\\nYou may call these functions, described one a line:\\n<tools>' -}}
{%- for tool in tools -%}
{{- '\\n' -}}{{- tool | tojson -}}
{%- endfor -%}
{{- '\\n</tools>\\n\\nTo call one, write its name and its arguments as JSON in this form:' -}}
{{- '\\n<tool_call>\\n{"name": <name>, "arguments": <arguments>}\\n</tool_call><|im_end|>\\n' -}}
{%- elif system -%}
{{- '<|im_start|>system\\n' + system + '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'system' and loop.first -%}
{%- elif message.role == 'assistant' and message.tool_calls -%}
{{- '<|im_start|>assistant' -}}
{%- if message.content -%}
{{- '\\n' + message.content -}}
{%- endif -%}
{%- for call in message.tool_calls -%}
{{- '\\n<tool_call>\\n{"name": "' -}}
{{- call.function.name -}}
{{- '", "arguments": ' -}}
{{- call.function.arguments | tojson -}}
{{- '}\\n</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- elif message.role == 'tool' -%}
{{- '<|im_start|>user\\n<tool_response>\\n' -}}
{{- message.content -}}
{{- '\\n</tool_response><|im_end|>\\n' -}}
{%- else -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def with_tools(template: str) -> str:
    """Return a template that shows tools, or nothing when the model's own is to be used."""
    if "tools" in template or "<|im_start|>" not in template:
        return ""
    found = _DEFAULT_SYSTEM.search(template)
    return _CHATML.replace("@DEFAULT@", found.group(1) if found else "")
