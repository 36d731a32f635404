# Everything from a clean checkout: Python 3.11 or later (with venv), a C++20 compiler, zlib's headers and make are needed.

PYTHON ?= python3
VENV := .venv
# Where ccache is found, nothing is compiled twice: neither the decoder for the wheel nor for Zeek, in any checkout.
ifneq (,$(shell command -v ccache))
export CMAKE_CXX_COMPILER_LAUNCHER := ccache
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
endif
SOURCES := $(shell find python zeek/decoder zeek/stream pyproject.toml VERSION -type f -not -name '*.so' -not -path '*/__pycache__/*')

.PHONY: demo test site fuzz lab bench format clean

# From nothing to the report: a field capture, nDPI's labels, tables here and a page beside it.
demo: $(VENV)/installed
	@mkdir -p demo
	PYTHONPATH=python $(VENV)/bin/python -m fieldcapture --out demo/field.pcap --truth demo/field.truth.jsonl
	$(VENV)/bin/mailtap analyze demo/field.pcap --dpi ndpi --html demo/report.html
	@echo "The same as a page: $(CURDIR)/demo/report.html"

# Tests, types, formats, and Zeek's btests where a Zeek is found.
test: $(VENV)/tox
	$(VENV)/bin/tox run

# The documentation as a site, in build/site.
site: $(VENV)/tox
	$(VENV)/bin/tox run -e docs

# Coverage-guided fuzzing of the decoder and the packet layer, SECONDS each, then mutated frames, labels, logs, policies, and
# faults of sensors and of live mode.
fuzz: $(VENV)/tox
	tests/fuzz/run $(or $(SECONDS_EACH),60)
	MAILTAP_FUZZ_EXAMPLES=$(or $(EXAMPLES),2000) $(VENV)/bin/tox run -e py -x 'testenv.commands=pytest tests/fuzz tests/live/test_faults.py'

# Real mail servers and clients in namespaces of their own, and the decoder held against them; see docs/explanation/lab.md.
# Needs root and Debian's packages; says in one line when it can't run here.
lab: $(VENV)/tox
	$(VENV)/bin/tox run -e py -x 'testenv.set_env=PYTHONPATH=tests' -x 'testenv.commands=python -m lab'

# Ratios against whatever of zeek, tshark and ndpiReader is found.
bench: $(VENV)/installed
	$(VENV)/bin/python benchmarks/analyze.py

format: $(VENV)/tox
	$(VENV)/bin/tox run -e format

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "MailTap needs Python 3.11 or later: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/tox: $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'tox>=4.20'
	@touch $@

$(VENV)/installed: $(VENV)/bin/python $(SOURCES)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check '.[ndpi]'
	@touch $@

clean:
	rm -rf build demo .tox $(VENV)
