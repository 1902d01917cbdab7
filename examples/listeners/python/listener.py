#!/usr/bin/env python3
"""Writes every event to standard error."""
import sys


def main():
    # Text, so that read(n) counts characters; UTF-8 whatever the locale; line ends as they are.
    events = open(0, encoding='utf-8', newline='\n')
    log = open(2, 'w', encoding='utf-8', newline='\n', buffering=1)
    while True:
        sys.stdout.write('READY\n')
        sys.stdout.flush()
        line = events.readline()
        if not line.endswith('\n'):
            return
        header = dict(token.split(':', 1) for token in line.split())
        length = int(header['len'])
        payload = events.read(length)
        if len(payload) < length:
            return
        print(f'{header["eventname"]}: {payload}', file=log)
        sys.stdout.write('RESULT 2\nOK')
        sys.stdout.flush()


main()
