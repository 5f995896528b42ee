"""The recipe that trains the embedded backbones: images, teachers, losses, schedule, export. Needs torch."""
