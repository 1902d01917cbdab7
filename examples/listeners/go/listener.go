// Writes every event to standard error.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// parse takes a line of key:value tokens apart.
func parse(line string) map[string]string {
	tokens := make(map[string]string)
	for _, token := range strings.Fields(line) {
		if key, value, found := strings.Cut(token, ":"); found {
			tokens[key] = value
		}
	}
	return tokens
}

// read reads count characters, not bytes.
func read(events *bufio.Reader, count int) (string, error) {
	var payload strings.Builder
	for ; count > 0; count-- {
		character, _, err := events.ReadRune()
		if err != nil {
			return "", err
		}
		payload.WriteRune(character)
	}
	return payload.String(), nil
}

func main() {
	events := bufio.NewReader(os.Stdin)
	for {
		fmt.Print("READY\n")
		line, err := events.ReadString('\n')
		if err != nil {
			return // the daemon is gone
		}
		header := parse(line)
		length, err := strconv.Atoi(header["len"])
		if err != nil {
			fmt.Fprintf(os.Stderr, "not an event: %q\n", line)
			os.Exit(1)
		}
		payload, err := read(events, length)
		if err != nil {
			return
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", header["eventname"], payload)
		fmt.Print("RESULT 2\nOK")
	}
}
