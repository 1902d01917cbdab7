"""Leaks 5 MB a second."""
import time

leaked = []
while True:
    leaked.append(bytearray(b'x') * (5 << 20))
    print(f'{5 * len(leaked)} MB', flush=True)
    time.sleep(1)
