"""The first schema.

Revision: 0001
After: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from canary.storage.types import UtcDateTime

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_keys',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('scopes', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=True),
    sa.Column('last_used_at', UtcDateTime(), nullable=True),
    sa.Column('revoked_at', UtcDateTime(), nullable=True),
    sa.Column('revoked_by', sa.String(length=120), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('digest', name=op.f('uq_api_keys_digest')),
    sa.UniqueConstraint('ref', name=op.f('uq_api_keys_ref'))
    )
    op.create_table('audit_entries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('actor', sa.String(length=120), nullable=False),
    sa.Column('action', sa.String(length=80), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('details', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entries'))
    )
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entries_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entries_subject'), ['subject'], unique=False)

    op.create_table('batches',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('plan', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batches')),
    sa.UniqueConstraint('name', name=op.f('uq_batches_name'))
    )
    op.create_table('endpoints',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('format', sa.String(length=40), nullable=False),
    sa.Column('sealed_config', sa.LargeBinary(), nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.Column('quiet_from', sa.String(length=5), nullable=True),
    sa.Column('quiet_until', sa.String(length=5), nullable=True),
    sa.Column('digest', sa.String(length=8), nullable=False),
    sa.Column('digested_at', UtcDateTime(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('failing_since', UtcDateTime(), nullable=True),
    sa.Column('failing_told_at', UtcDateTime(), nullable=True),
    sa.Column('rests_until', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_endpoints')),
    sa.UniqueConstraint('name', name=op.f('uq_endpoints_name'))
    )
    op.create_table('notes',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_notes'))
    )
    op.create_table('number_ranges',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('carrier', sa.String(length=20), nullable=False),
    sa.Column('use', sa.String(length=12), nullable=False),
    sa.Column('range_key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('sealed_range', sa.LargeBinary(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('used', sa.BigInteger(), nullable=False),
    sa.Column('until', UtcDateTime(), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint("use IN ('never','reserved','voided')", name=op.f('ck_number_ranges_use')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_number_ranges')),
    sa.UniqueConstraint('range_key', name=op.f('uq_number_ranges_range_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_number_ranges_ref'))
    )
    with op.batch_alter_table('number_ranges', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_number_ranges_carrier'), ['carrier'], unique=False)

    op.create_table('phones',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('number_key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('sealed_number', sa.LargeBinary(), nullable=False),
    sa.Column('label', sa.String(length=120), nullable=True),
    sa.Column('gateway', sa.String(length=120), nullable=True),
    sa.Column('owned_since', UtcDateTime(), nullable=True),
    sa.Column('previous_use', sa.Text(), nullable=True),
    sa.Column('burn_in_days', sa.Integer(), nullable=False),
    sa.Column('is_control', sa.Boolean(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phones')),
    sa.UniqueConstraint('number_key', name=op.f('uq_phones_number_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_phones_ref'))
    )
    op.create_table('rematches',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('since', UtcDateTime(), nullable=False),
    sa.Column('cursor_id', sa.BigInteger(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('found', sa.Integer(), nullable=False),
    sa.Column('requested_by', sa.String(length=120), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.Column('lease_owner', sa.String(length=80), nullable=True),
    sa.Column('lease_until', UtcDateTime(), nullable=True),
    sa.CheckConstraint("state IN ('waiting','done')", name=op.f('ck_rematches_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rematches'))
    )
    with op.batch_alter_table('rematches', schema=None) as batch_op:
        batch_op.create_index('uq_rematches_waiting', ['state'], unique=True, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.create_table('sources',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('parent_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('region', sa.String(length=12), nullable=True),
    sa.Column('carriers', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('daily_parcels', sa.Integer(), nullable=True),
    sa.Column('stage', sa.String(length=20), nullable=True),
    sa.Column('contact', sa.Text(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['sources.id'], name=op.f('fk_sources_parent_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sources')),
    sa.UniqueConstraint('code', name=op.f('uq_sources_code'))
    )
    with op.batch_alter_table('sources', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sources_kind'), ['kind'], unique=False)
        batch_op.create_index(batch_op.f('ix_sources_parent_id'), ['parent_id'], unique=False)

    op.create_table('text_grams',
    sa.Column('bucket', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('sighting_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('bucket', 'sighting_id', name=op.f('pk_text_grams')),
    sqlite_with_rowid=False
    )
    op.create_table('uploads',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('purpose', sa.String(length=12), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('sealed_body', sa.LargeBinary(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('done_as', sa.String(length=80), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_uploads')),
    sa.UniqueConstraint('ref', name=op.f('uq_uploads_ref'))
    )
    with op.batch_alter_table('uploads', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_uploads_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_uploads_purpose'), ['purpose'], unique=False)

    op.create_table('baits',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('batch_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('carrier', sa.String(length=20), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('is_control', sa.Boolean(), nullable=False),
    sa.Column('sealed_values', sa.LargeBinary(), nullable=False),
    sa.Column('phone_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('goods', sa.String(length=120), nullable=False),
    sa.Column('weight_g', sa.Integer(), nullable=False),
    sa.Column('origin', sa.String(length=12), nullable=False),
    sa.Column('destination', sa.String(length=12), nullable=False),
    sa.Column('sender_name', sa.String(length=120), nullable=False),
    sa.Column('ordered_at', UtcDateTime(), nullable=True),
    sa.Column('issued_at', UtcDateTime(), nullable=False),
    sa.Column('planted_at', UtcDateTime(), nullable=True),
    sa.Column('live_at', UtcDateTime(), nullable=True),
    sa.Column('burned_at', UtcDateTime(), nullable=True),
    sa.Column('retired_at', UtcDateTime(), nullable=True),
    sa.CheckConstraint("state IN ('draft','issued','planted','live','burned','retired')", name=op.f('ck_baits_state')),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.id'], name=op.f('fk_baits_batch_id_batches')),
    sa.ForeignKeyConstraint(['phone_id'], ['phones.id'], name=op.f('fk_baits_phone_id_phones')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_baits')),
    sa.UniqueConstraint('ref', name=op.f('uq_baits_ref'))
    )
    with op.batch_alter_table('baits', schema=None) as batch_op:
        batch_op.create_index('ix_baits_batch', ['batch_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_baits_phone_id'), ['phone_id'], unique=False)
        batch_op.create_index('ix_baits_state', ['state', 'is_control'], unique=False)

    op.create_table('invitations',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('lang', sa.String(length=8), nullable=True),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('used_at', UtcDateTime(), nullable=True),
    sa.Column('withdrawn_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_invitations_source_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('digest', name=op.f('uq_invitations_digest'))
    )
    with op.batch_alter_table('invitations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitations_name'), ['name'], unique=False)

    op.create_table('reporters',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('format', sa.String(length=40), nullable=False),
    sa.Column('channel_class', sa.String(length=20), nullable=False),
    sa.Column('sealed_secrets', sa.LargeBinary(), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('rhythm_seconds', sa.Integer(), nullable=True),
    sa.Column('last_post_at', UtcDateTime(), nullable=True),
    sa.Column('last_heartbeat_at', UtcDateTime(), nullable=True),
    sa.Column('silence_told_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_reporters_source_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reporters')),
    sa.UniqueConstraint('name', name=op.f('uq_reporters_name'))
    )
    op.create_table('routing_rules',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('endpoint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('source_kind', sa.String(length=20), nullable=True),
    sa.Column('sighting_kind', sa.String(length=20), nullable=True),
    sa.Column('region', sa.String(length=12), nullable=True),
    sa.Column('least_verdict', sa.String(length=20), nullable=True),
    sa.Column('lang', sa.String(length=8), nullable=True),
    sa.Column('after_minutes', sa.Integer(), nullable=True),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['endpoints.id'], name=op.f('fk_routing_rules_endpoint_id_endpoints')),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_routing_rules_source_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_routing_rules'))
    )
    with op.batch_alter_table('routing_rules', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_routing_rules_endpoint_id'), ['endpoint_id'], unique=False)

    op.create_table('users',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=True),
    sa.Column('timezone', sa.String(length=64), nullable=True),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('failed_sign_ins', sa.Integer(), nullable=False),
    sa.Column('refused_until', UtcDateTime(), nullable=True),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('last_sign_in_at', UtcDateTime(), nullable=True),
    sa.Column('sealed_totp', sa.LargeBinary(), nullable=True),
    sa.Column('totp_since', UtcDateTime(), nullable=True),
    sa.Column('totp_step', sa.BigInteger(), nullable=True),
    sa.Column('recovery_digests', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_users_source_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('name', name=op.f('uq_users_name'))
    )
    op.create_table('drills',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('reporter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code_key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('sent_at', UtcDateTime(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.Column('triaged_at', UtcDateTime(), nullable=True),
    sa.Column('problem', sa.String(length=200), nullable=True),
    sa.ForeignKeyConstraint(['reporter_id'], ['reporters.id'], name=op.f('fk_drills_reporter_id_reporters')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drills')),
    sa.UniqueConstraint('code_key', name=op.f('uq_drills_code_key'))
    )
    with op.batch_alter_table('drills', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_drills_reporter_id'), ['reporter_id'], unique=False)

    op.create_table('expected_sightings',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('reporter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('sender', sa.String(length=200), nullable=True),
    sa.Column('venue', sa.String(length=200), nullable=True),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('begins_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['reporter_id'], ['reporters.id'], name=op.f('fk_expected_sightings_reporter_id_reporters')),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_expected_sightings_source_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_expected_sightings'))
    )
    with op.batch_alter_table('expected_sightings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_expected_sightings_expires_at'), ['expires_at'], unique=False)

    op.create_table('exposures',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('bait_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('reader', sa.String(length=120), nullable=True),
    sa.Column('origin', sa.String(length=12), nullable=False),
    sa.Column('number', sa.SmallInteger(), nullable=False),
    sa.Column('name', sa.SmallInteger(), nullable=False),
    sa.Column('phone', sa.SmallInteger(), nullable=False),
    sa.Column('address', sa.SmallInteger(), nullable=False),
    sa.Column('since', UtcDateTime(), nullable=False),
    sa.Column('until', UtcDateTime(), nullable=True),
    sa.CheckConstraint('(source_id IS NULL) <> (reader IS NULL)', name=op.f('ck_exposures_one_who')),
    sa.ForeignKeyConstraint(['bait_id'], ['baits.id'], name=op.f('fk_exposures_bait_id_baits'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_exposures_source_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exposures'))
    )
    with op.batch_alter_table('exposures', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_exposures_bait_id'), ['bait_id'], unique=False)
        batch_op.create_index('ix_exposures_custody', ['id'], unique=False, sqlite_where=sa.text("origin = 'custody'"), postgresql_where=sa.text("origin = 'custody'"))
        batch_op.create_index(batch_op.f('ix_exposures_source_id'), ['source_id'], unique=False)
        batch_op.create_index('uq_exposures_reader', ['bait_id', 'reader', 'origin', 'since'], unique=True, sqlite_where=sa.text('reader IS NOT NULL'), postgresql_where=sa.text('reader IS NOT NULL'))
        batch_op.create_index('uq_exposures_source', ['bait_id', 'source_id', 'origin', 'since'], unique=True, sqlite_where=sa.text('source_id IS NOT NULL'), postgresql_where=sa.text('source_id IS NOT NULL'))

    op.create_table('identifiers',
    sa.Column('value_key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('bait_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.ForeignKeyConstraint(['bait_id'], ['baits.id'], name=op.f('fk_identifiers_bait_id_baits')),
    sa.PrimaryKeyConstraint('value_key', 'bait_id', name=op.f('pk_identifiers')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('identifiers', schema=None) as batch_op:
        batch_op.create_index('uq_identifiers_number', ['value_key'], unique=True, sqlite_where=sa.text("kind = 'number'"), postgresql_where=sa.text("kind = 'number'"))

    op.create_table('inbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('reporter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('post_key', sa.String(length=80), nullable=False),
    sa.Column('received_at', UtcDateTime(), nullable=False),
    sa.Column('method', sa.String(length=8), nullable=False),
    sa.Column('sealed_request', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_body', sa.LargeBinary(), nullable=False),
    sa.Column('body_size', sa.Integer(), nullable=False),
    sa.Column('body_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('content_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('sealed_reports', sa.LargeBinary(), nullable=True),
    sa.Column('grade', sa.String(length=12), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('lease_owner', sa.String(length=80), nullable=True),
    sa.Column('lease_until', UtcDateTime(), nullable=True),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.Column('failure', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('waiting','done','dead')", name=op.f('ck_inbox_state')),
    sa.ForeignKeyConstraint(['reporter_id'], ['reporters.id'], name=op.f('fk_inbox_reporter_id_reporters')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox')),
    sa.UniqueConstraint('ref', name=op.f('uq_inbox_ref')),
    sa.UniqueConstraint('reporter_id', 'post_key', name=op.f('uq_inbox_reporter_id_post_key'))
    )
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.create_index('ix_inbox_due', ['state', 'lease_until'], unique=False)
        batch_op.create_index(batch_op.f('ix_inbox_received_at'), ['received_at'], unique=False)

    op.create_table('incidents',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('scope', sa.String(length=80), nullable=False),
    sa.Column('scope_source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('verdict', sa.String(length=20), nullable=False),
    sa.Column('confidence', sa.Double(), nullable=False),
    sa.Column('named', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('sighting_count', sa.Integer(), nullable=False),
    sa.Column('evidence_version', sa.Integer(), nullable=False),
    sa.Column('attributed_version', sa.Integer(), nullable=False),
    sa.Column('merged_into_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('last_sighting_at', UtcDateTime(), nullable=False),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('decided_by', sa.String(length=120), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=True),
    sa.Column('told', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('told_at', UtcDateTime(), nullable=True),
    sa.Column('held_until', UtcDateTime(), nullable=True),
    sa.Column('acknowledged_at', UtcDateTime(), nullable=True),
    sa.Column('acknowledged_by', sa.String(length=120), nullable=True),
    sa.Column('snoozed_version', sa.Integer(), nullable=True),
    sa.Column('snoozed_until', UtcDateTime(), nullable=True),
    sa.Column('assignee_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('open','confirmed','dismissed','merged')", name=op.f('ck_incidents_state')),
    sa.ForeignKeyConstraint(['assignee_id'], ['users.id'], name=op.f('fk_incidents_assignee_id_users')),
    sa.ForeignKeyConstraint(['merged_into_id'], ['incidents.id'], name=op.f('fk_incidents_merged_into_id_incidents')),
    sa.ForeignKeyConstraint(['scope_source_id'], ['sources.id'], name=op.f('fk_incidents_scope_source_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incidents'))
    )
    with op.batch_alter_table('incidents', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_incidents_assignee_id'), ['assignee_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_incidents_last_sighting_at'), ['last_sighting_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_incidents_scope_source_id'), ['scope_source_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_incidents_state'), ['state'], unique=False)
        batch_op.create_index('uq_incidents_open_scope', ['scope'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.create_table('monitors',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('reporter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('sealed_address', sa.LargeBinary(), nullable=False),
    sa.Column('host_key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('rhythm_minutes', sa.Integer(), nullable=False),
    sa.Column('selector', sa.String(length=200), nullable=True),
    sa.Column('charset', sa.String(length=40), nullable=True),
    sa.Column('venue', sa.String(length=200), nullable=False),
    sa.Column('basis', sa.String(length=200), nullable=False),
    sa.Column('robots_override', sa.String(length=200), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.String(length=200), nullable=True),
    sa.Column('etag', sa.String(length=200), nullable=True),
    sa.Column('last_modified', sa.String(length=80), nullable=True),
    sa.Column('content_key', sa.LargeBinary(length=16), nullable=True),
    sa.Column('row_keys', sa.LargeBinary(), nullable=False),
    sa.Column('changes', sa.Integer(), nullable=False),
    sa.Column('pause_seconds', sa.Integer(), nullable=False),
    sa.Column('last_checked_at', UtcDateTime(), nullable=True),
    sa.Column('last_changed_at', UtcDateTime(), nullable=True),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('lease_owner', sa.String(length=80), nullable=True),
    sa.Column('lease_until', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint("kind IN ('page','feed')", name=op.f('ck_monitors_kind')),
    sa.ForeignKeyConstraint(['reporter_id'], ['reporters.id'], name=op.f('fk_monitors_reporter_id_reporters')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_monitors')),
    sa.UniqueConstraint('reporter_id', name=op.f('uq_monitors_reporter_id'))
    )
    with op.batch_alter_table('monitors', schema=None) as batch_op:
        batch_op.create_index('ix_monitors_due', ['due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_monitors_host_key'), ['host_key'], unique=False)

    op.create_table('monitor_checks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('monitor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('added', sa.Integer(), nullable=False),
    sa.Column('removed', sa.Integer(), nullable=False),
    sa.Column('problem', sa.String(length=200), nullable=True),
    sa.ForeignKeyConstraint(['monitor_id'], ['monitors.id'], name=op.f('fk_monitor_checks_monitor_id_monitors'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_monitor_checks'))
    )
    with op.batch_alter_table('monitor_checks', schema=None) as batch_op:
        batch_op.create_index('ix_monitor_checks_monitor', ['monitor_id', 'id'], unique=False)

    op.create_table('placements',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('bait_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('route', sa.String(length=40), nullable=False),
    sa.Column('fields', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('handed_over_at', UtcDateTime(), nullable=True),
    sa.Column('confirmed_at', UtcDateTime(), nullable=True),
    sa.Column('confirmed_by', sa.String(length=120), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['bait_id'], ['baits.id'], name=op.f('fk_placements_bait_id_baits'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_placements_source_id_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_placements')),
    sa.UniqueConstraint('bait_id', name=op.f('uq_placements_bait_id'))
    )
    with op.batch_alter_table('placements', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_placements_source_id'), ['source_id'], unique=False)

    op.create_table('reveal_requests',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('bait_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('asked_by', sa.String(length=120), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('answered_by', sa.String(length=120), nullable=True),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.Column('is_agreed', sa.Boolean(), nullable=False),
    sa.Column('shown_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['bait_id'], ['baits.id'], name=op.f('fk_reveal_requests_bait_id_baits')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reveal_requests'))
    )
    with op.batch_alter_table('reveal_requests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reveal_requests_bait_id'), ['bait_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reveal_requests_expires_at'), ['expires_at'], unique=False)

    op.create_table('saved_views',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('query', sa.String(length=300), nullable=False),
    sa.Column('is_shared', sa.Boolean(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_saved_views_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_views')),
    sa.UniqueConstraint('user_id', 'name', name=op.f('uq_saved_views_user_id_name'))
    )
    op.create_table('sign_ins',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('last_seen_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('revoked_at', UtcDateTime(), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=True),
    sa.Column('agent', sa.String(length=255), nullable=True),
    sa.Column('awaits_code', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sign_ins_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_ins')),
    sa.UniqueConstraint('digest', name=op.f('uq_sign_ins_digest'))
    )
    with op.batch_alter_table('sign_ins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_ins_user_id'), ['user_id'], unique=False)

    op.create_table('alerts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('ref', sa.String(length=40), nullable=False),
    sa.Column('type', sa.String(length=40), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('data', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('facts', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incidents.id'], name=op.f('fk_alerts_incident_id_incidents')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alerts')),
    sa.UniqueConstraint('incident_id', 'type', 'revision', name=op.f('uq_alerts_incident_id_type_revision')),
    sa.UniqueConstraint('ref', name=op.f('uq_alerts_ref'))
    )
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_alerts_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_alerts_incident_id'), ['incident_id'], unique=False)

    op.create_table('attributions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('rule_version', sa.String(length=40), nullable=False),
    sa.Column('verdict', sa.String(length=20), nullable=False),
    sa.Column('result', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('sealed_world', sa.LargeBinary(), nullable=False),
    sa.Column('world_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incidents.id'], name=op.f('fk_attributions_incident_id_incidents')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attributions')),
    sa.UniqueConstraint('incident_id', 'revision', name=op.f('uq_attributions_incident_id_revision'))
    )
    op.create_table('sightings',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('ref', sa.String(length=20), nullable=False),
    sa.Column('inbox_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ordinal', sa.Integer(), nullable=False),
    sa.Column('reporter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('channel_class', sa.String(length=20), nullable=False),
    sa.Column('grade', sa.String(length=12), nullable=False),
    sa.Column('venue', sa.String(length=200), nullable=False),
    sa.Column('sealed_report', sa.LargeBinary(), nullable=False),
    sa.Column('text_key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('phone_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('seen_at', UtcDateTime(), nullable=False),
    sa.Column('claimed_at', UtcDateTime(), nullable=True),
    sa.Column('basis', sa.String(length=40), nullable=False),
    sa.Column('record_count', sa.Integer(), nullable=False),
    sa.Column('filed_as', sa.String(length=12), nullable=True),
    sa.Column('expected_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('part_key', sa.LargeBinary(length=16), nullable=True),
    sa.Column('part_number', sa.SmallInteger(), nullable=True),
    sa.Column('part_total', sa.SmallInteger(), nullable=True),
    sa.ForeignKeyConstraint(['expected_id'], ['expected_sightings.id'], name=op.f('fk_sightings_expected_id_expected_sightings')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_sightings_inbox_id_inbox')),
    sa.ForeignKeyConstraint(['incident_id'], ['incidents.id'], name=op.f('fk_sightings_incident_id_incidents')),
    sa.ForeignKeyConstraint(['phone_id'], ['phones.id'], name=op.f('fk_sightings_phone_id_phones')),
    sa.ForeignKeyConstraint(['reporter_id'], ['reporters.id'], name=op.f('fk_sightings_reporter_id_reporters')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sightings')),
    sa.UniqueConstraint('inbox_id', 'ordinal', name=op.f('uq_sightings_inbox_id_ordinal')),
    sa.UniqueConstraint('ref', name=op.f('uq_sightings_ref'))
    )
    with op.batch_alter_table('sightings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sightings_expected_id'), ['expected_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sightings_filed_as'), ['filed_as'], unique=False)
        batch_op.create_index(batch_op.f('ix_sightings_incident_id'), ['incident_id'], unique=False)
        batch_op.create_index('ix_sightings_kind', ['kind', 'record_count'], unique=False)
        batch_op.create_index(batch_op.f('ix_sightings_part_key'), ['part_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_sightings_phone_id'), ['phone_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sightings_reporter_id'), ['reporter_id'], unique=False)
        batch_op.create_index('ix_sightings_seen_at', ['seen_at', 'incident_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sightings_text_key'), ['text_key'], unique=False)
        batch_op.create_index('ix_sightings_venue', ['venue', 'incident_id'], unique=False)

    op.create_table('deliveries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('alert_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('endpoint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lang', sa.String(length=8), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('lease_owner', sa.String(length=80), nullable=True),
    sa.Column('lease_until', UtcDateTime(), nullable=True),
    sa.Column('last_status', sa.Integer(), nullable=True),
    sa.Column('last_answer', sa.Text(), nullable=True),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.CheckConstraint("state IN ('waiting','done','dead')", name=op.f('ck_deliveries_state')),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_deliveries_alert_id_alerts')),
    sa.ForeignKeyConstraint(['endpoint_id'], ['endpoints.id'], name=op.f('fk_deliveries_endpoint_id_endpoints')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deliveries')),
    sa.UniqueConstraint('alert_id', 'endpoint_id', name=op.f('uq_deliveries_alert_id_endpoint_id'))
    )
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.create_index('ix_deliveries_due', ['state', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_deliveries_endpoint_id'), ['endpoint_id'], unique=False)

    op.create_table('matches',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('sighting_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('bait_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('form', sa.String(length=12), nullable=False),
    sa.Column('level', sa.String(length=12), nullable=False),
    sa.Column('start', sa.Integer(), nullable=False),
    sa.Column('end', sa.Integer(), nullable=False),
    sa.Column('record_start', sa.Integer(), nullable=False),
    sa.Column('record_end', sa.Integer(), nullable=False),
    sa.Column('disguises', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('agreeing', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('rule', sa.String(length=80), nullable=False),
    sa.Column('chance', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['bait_id'], ['baits.id'], name=op.f('fk_matches_bait_id_baits')),
    sa.ForeignKeyConstraint(['sighting_id'], ['sightings.id'], name=op.f('fk_matches_sighting_id_sightings'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_matches')),
    sa.UniqueConstraint('sighting_id', 'bait_id', 'kind', 'start', name=op.f('uq_matches_sighting_id_bait_id_kind_start'))
    )
    with op.batch_alter_table('matches', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_matches_bait_id'), ['bait_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_matches_sighting_id'), ['sighting_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('monitor_checks', schema=None) as batch_op:
        batch_op.drop_index('ix_monitor_checks_monitor')

    op.drop_table('monitor_checks')
    with op.batch_alter_table('monitors', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_monitors_host_key'))
        batch_op.drop_index('ix_monitors_due')

    op.drop_table('monitors')
    with op.batch_alter_table('matches', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_matches_sighting_id'))
        batch_op.drop_index(batch_op.f('ix_matches_bait_id'))

    op.drop_table('matches')
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_deliveries_endpoint_id'))
        batch_op.drop_index('ix_deliveries_due')

    op.drop_table('deliveries')
    with op.batch_alter_table('sightings', schema=None) as batch_op:
        batch_op.drop_index('ix_sightings_venue')
        batch_op.drop_index(batch_op.f('ix_sightings_text_key'))
        batch_op.drop_index('ix_sightings_seen_at')
        batch_op.drop_index(batch_op.f('ix_sightings_reporter_id'))
        batch_op.drop_index(batch_op.f('ix_sightings_phone_id'))
        batch_op.drop_index(batch_op.f('ix_sightings_part_key'))
        batch_op.drop_index('ix_sightings_kind')
        batch_op.drop_index(batch_op.f('ix_sightings_incident_id'))
        batch_op.drop_index(batch_op.f('ix_sightings_filed_as'))
        batch_op.drop_index(batch_op.f('ix_sightings_expected_id'))

    op.drop_table('sightings')
    op.drop_table('attributions')
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_alerts_incident_id'))
        batch_op.drop_index(batch_op.f('ix_alerts_created_at'))

    op.drop_table('alerts')
    with op.batch_alter_table('sign_ins', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_ins_user_id'))

    op.drop_table('sign_ins')
    op.drop_table('saved_views')
    with op.batch_alter_table('reveal_requests', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reveal_requests_expires_at'))
        batch_op.drop_index(batch_op.f('ix_reveal_requests_bait_id'))

    op.drop_table('reveal_requests')
    with op.batch_alter_table('placements', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_placements_source_id'))

    op.drop_table('placements')
    with op.batch_alter_table('incidents', schema=None) as batch_op:
        batch_op.drop_index('uq_incidents_open_scope', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index(batch_op.f('ix_incidents_state'))
        batch_op.drop_index(batch_op.f('ix_incidents_scope_source_id'))
        batch_op.drop_index(batch_op.f('ix_incidents_last_sighting_at'))
        batch_op.drop_index(batch_op.f('ix_incidents_assignee_id'))

    op.drop_table('incidents')
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_inbox_received_at'))
        batch_op.drop_index('ix_inbox_due')

    op.drop_table('inbox')
    with op.batch_alter_table('identifiers', schema=None) as batch_op:
        batch_op.drop_index('uq_identifiers_number', sqlite_where=sa.text("kind = 'number'"), postgresql_where=sa.text("kind = 'number'"))

    op.drop_table('identifiers')
    with op.batch_alter_table('exposures', schema=None) as batch_op:
        batch_op.drop_index('uq_exposures_source', sqlite_where=sa.text('source_id IS NOT NULL'), postgresql_where=sa.text('source_id IS NOT NULL'))
        batch_op.drop_index('uq_exposures_reader', sqlite_where=sa.text('reader IS NOT NULL'), postgresql_where=sa.text('reader IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_exposures_source_id'))
        batch_op.drop_index('ix_exposures_custody', sqlite_where=sa.text("origin = 'custody'"), postgresql_where=sa.text("origin = 'custody'"))
        batch_op.drop_index(batch_op.f('ix_exposures_bait_id'))

    op.drop_table('exposures')
    with op.batch_alter_table('expected_sightings', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_expected_sightings_expires_at'))

    op.drop_table('expected_sightings')
    with op.batch_alter_table('drills', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_drills_reporter_id'))

    op.drop_table('drills')
    op.drop_table('users')
    with op.batch_alter_table('routing_rules', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_routing_rules_endpoint_id'))

    op.drop_table('routing_rules')
    op.drop_table('reporters')
    with op.batch_alter_table('invitations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invitations_name'))

    op.drop_table('invitations')
    with op.batch_alter_table('baits', schema=None) as batch_op:
        batch_op.drop_index('ix_baits_state')
        batch_op.drop_index(batch_op.f('ix_baits_phone_id'))
        batch_op.drop_index('ix_baits_batch')

    op.drop_table('baits')
    with op.batch_alter_table('uploads', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_uploads_purpose'))
        batch_op.drop_index(batch_op.f('ix_uploads_created_at'))

    op.drop_table('uploads')
    op.drop_table('text_grams')
    with op.batch_alter_table('sources', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sources_parent_id'))
        batch_op.drop_index(batch_op.f('ix_sources_kind'))

    op.drop_table('sources')
    with op.batch_alter_table('rematches', schema=None) as batch_op:
        batch_op.drop_index('uq_rematches_waiting', sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.drop_table('rematches')
    op.drop_table('phones')
    with op.batch_alter_table('number_ranges', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_number_ranges_carrier'))

    op.drop_table('number_ranges')
    op.drop_table('notes')
    op.drop_table('endpoints')
    op.drop_table('batches')
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_entries_subject'))
        batch_op.drop_index(batch_op.f('ix_audit_entries_at'))

    op.drop_table('audit_entries')
    op.drop_table('api_keys')
