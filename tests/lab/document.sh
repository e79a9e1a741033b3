#!/bin/sh
# The examples of docs/lab.md print what the document says.
exec docs/examples/check
