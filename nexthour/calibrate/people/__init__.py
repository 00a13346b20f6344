"""What people know of partners and candidates: intake, judgement, recruiting funnel."""
