"""The turns of a run become a chain: each names the one before it, and the run its last; their index by run goes."""

from alembic import op
from sqlalchemy import Column, String

revision = "0002"
down_revision = "0001"

_PREVIOUS = """UPDATE turn SET previous_id = (
    SELECT before.id FROM turn AS before
    WHERE before.tenant_id = turn.tenant_id AND before.run_id = turn.run_id AND before.rev = turn.rev - 1)"""
_LAST = """UPDATE run SET turn_id = (
    SELECT turn.id FROM turn WHERE turn.tenant_id = run.tenant_id AND turn.run_id = run.id AND turn.rev = run.rev)"""


def upgrade() -> None:
    """Runs and turns are written anew."""
    with op.batch_alter_table("turn", recreate="always") as turn:
        turn.add_column(Column("previous_id", String(), nullable=True), insert_after="run_id")
    with op.batch_alter_table("run", recreate="always") as run:
        run.add_column(Column("turn_id", String(), nullable=True), insert_after="input_rev")
    op.execute(_PREVIOUS)
    op.execute(_LAST)
    with op.batch_alter_table("run") as run:
        run.alter_column("turn_id", existing_type=String(), nullable=False)
    op.drop_index("turn_by_run", table_name="turn")


def downgrade() -> None:
    """The index as it was."""
    op.create_index("turn_by_run", "turn", ["tenant_id", "run_id", "rev"], unique=True)
    with op.batch_alter_table("run") as run:
        run.drop_column("turn_id")
    with op.batch_alter_table("turn") as turn:
        turn.drop_column("previous_id")
