#!/usr/bin/env bash
# Builds the documentation into site/; a broken link is an error.
. "$(dirname "$0")/lib.sh"

NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
