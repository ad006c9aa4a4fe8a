// Package ptytest runs programs on a pseudo-terminal and answers what they ask.
package ptytest
