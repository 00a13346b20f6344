"""Where a manager's hours went: calendars to hours by activity and partner, and to today's split."""
