# Shared by the scripts: sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
venv=$root/.venv
export PATH="$venv/bin:$HOME/.cargo/bin:$PATH" CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
: "${CARGO_BUILD_JOBS:=$(nproc)}"
export CARGO_BUILD_JOBS
profile=${PERSIST_CARGO_PROFILE:-dev}
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
# The tests start a thousand processes: each would compile again what it imports.
unset PYTHONDONTWRITEBYTECODE
# The examples of properties are the same in each run; scripts/explore.sh looks for others.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1}

# step TITLE COMMAND...: says what runs, and how long it took.
step() {
  local title=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$title"
  "$@"
  printf -- '-- %s: %s s\n' "$title" "$((SECONDS - start))"
}

# Installs Debian packages that are missing; needs root.
need_packages() {
  local missing=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Installs Python packages into .venv; uv takes a tenth of the time that pip does.
install_python() {
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" "$@"
}

# The newest Python that the project supports.
find_python() {
  local candidate
  for candidate in python3.13 python3.12 python3.11 python3.10 python3; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  echo "error: Python 3.10 or newer is needed, with its venv module" >&2
  return 1
}
