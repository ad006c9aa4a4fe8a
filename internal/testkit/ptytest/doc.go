// Package ptytest runs programs on a pseudo-terminal and answers their prompts.
package ptytest
