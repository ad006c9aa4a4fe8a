package vault

import "time"

// SetPause makes repetitions quick.
func (c *Client) SetPause(pause time.Duration) { c.pause = pause }

// SetTimeout bounds one attempt.
func (c *Client) SetTimeout(timeout time.Duration) { c.http.Timeout = timeout }
