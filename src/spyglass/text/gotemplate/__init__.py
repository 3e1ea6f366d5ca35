"""Go's text/template: parsing, and execution over plain values.

    {{.field.sub}} {{$x := 1}} {{$x}} {{f a b | g}} {{if}} {{else if}} {{with}} {{range $i, $v := .list}} {{break}} {{define "t"}}
    {{template "t" .}} {{block}} {{- trim -}} {{/* comment */}}

Values are str, int, float, bool, None (nil), list, dict (maps), and objects that offer `template_field(name)`; nothing else is
reached: no attribute of a Python object, no evaluation of text. A template is compiled to closures once and run often.
Source: Go's documentation of text/template.

lexer (pieces) -> parser -> statements, expressions (closures) -> run; builtins and values beside them.
"""

from spyglass.text.gotemplate.builtins import quote_query as quote_query
from spyglass.text.gotemplate.parser import parse_template as parse_template
from spyglass.text.gotemplate.run import MAX_STEPS as MAX_STEPS
from spyglass.text.gotemplate.run import Function as Function
from spyglass.text.gotemplate.run import Run as Run
from spyglass.text.gotemplate.run import Template as Template
from spyglass.text.gotemplate.run import contextual as contextual
from spyglass.text.gotemplate.values import StringMap as StringMap
from spyglass.text.gotemplate.values import TemplateError as TemplateError
from spyglass.text.gotemplate.values import truth as truth
from spyglass.text.gotemplate.values import type_name as type_name
