"""One worker of a pool; its number is the argument."""
import itertools
import sys
import time

for job in itertools.count(1):
    print(f'worker {sys.argv[1]} did job {job}', flush=True)
    time.sleep(2)
