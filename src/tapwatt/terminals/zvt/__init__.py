"""ZVT, the German ECR interface (PA00P015 rev 13.x), over TCP; terminals.md section 4."""
