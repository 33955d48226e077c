// Command hello is what the tests of Program build.
package main

import "fmt"

func main() { fmt.Println("hello") }
