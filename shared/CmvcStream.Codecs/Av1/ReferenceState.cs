using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Av1;

/// <summary>What one keyframe is predicted from and which slots it fills; the slots of its references are in <see cref="ReferenceState.Listed"/>.</summary>
/// <param name="Scale">The coded size.</param>
/// <param name="Base">Number of the keyframe that it needs; whoever has that one and what that one needs can decode it.</param>
/// <param name="Predict">Bit i: reference i may be predicted from.</param>
/// <param name="Store">Bit i: slot i is filled.</param>
/// <param name="Inherit">False: the receiver may have another picture in slot 0, from which libaom inherits probabilities.</param>
/// <param name="Anchor">The reference that the keyframe will be for later ones; 0: none.</param>
internal readonly record struct ReferencePlan(CodedScale Scale, long Base, int Predict, int Store, bool Inherit, int Anchor = 0);

/// <summary>
/// Which keyframe is in which slot, and which of them the receiver has for certain: decides what the next one is predicted from and what
/// it replaces, so that a keyframe that the receiver has is nearly always at hand.
/// </summary>
/// <remarks>
/// AV1 keeps eight pictures, and a frame names seven of them as its references (AV1 specification, 5.9.2 and 7.20). We use seven slots:
/// slot 0 holds the newest keyframe (libaom 3.6 inherits probabilities from slot 0); the six others every second keyframe, the oldest of
/// which goes, except the two that compress (every fourth is GOLDEN or ALTREF in turn) and the newest that the receiver has acknowledged.
/// So the way back is to a keyframe one or none older than the acknowledged one while acknowledgements are fewer than about ten keyframes
/// behind, and still there when they end.
/// <para>
/// A keyframe that mends is predicted from what is acknowledged alone. Whoever decodes it, and it begins a new stretch, has what is
/// acknowledged and what follows; what else is in the slots is not predicted from again, unless the receiver acknowledges it after all.
/// A frame depends on pictures that it merely lists by nothing but their sizes, as order hints are off.
/// </para>
/// </remarks>
internal sealed class ReferenceState(PixelSize size)
{
    /// <summary>References of a frame, in AV1's order: LAST, LAST2, LAST3, GOLDEN, BWDREF, ALTREF2, ALTREF (6.10.24).</summary>
    internal const int References = 7;

    private const int Last = 0, Last2 = 1, Last3 = 2, Golden = 3, AltRef = 6;
    private const int Newest = 0, Slots = 7;

    // Anchors alternate every fourth keyframe: 0.4 % more bytes than libaom's own seven references, 20 % less time.
    private const int AnchorInterval = 4, KeepInterval = 2;

    private readonly Slot[] _slots = new Slot[Slots];
    private readonly byte[] _listed = new byte[References];
    private int _golden = 1, _altRef = 2;
    private long _number, _sinceIntra, _acknowledged;

    /// <summary>The slot that each reference of the last plan stands for.</summary>
    internal ReadOnlySpan<byte> Listed => _listed;

    /// <summary>The receiver has decoded the keyframe of that number, and so what that one needed. Numbers count what was stored, from 1.</summary>
    internal void Acknowledge(long number)
    {
        if (number <= _acknowledged || number > _number)
            return;
        _acknowledged = number;
        foreach (ref var slot in _slots.AsSpan())
        {
            // Each keyframe of a stretch needs the one before it.
            if (slot.Number <= number && number < slot.End)
                slot = slot with { Shared = true, Certain = true, Scales = Bit(slot.Scale) };
        }
    }

    /// <summary>What to predict from and where to store; null where the keyframe must be intra.</summary>
    /// <param name="mend">Only from what the receiver has for certain.</param>
    /// <param name="scale">The coded size that is wanted; what mends may need another one near it.</param>
    internal ReferencePlan? Plan(bool mend, CodedScale scale)
    {
        if (!mend || _slots[Newest].Certain)
            return From(Newest, scale, mend: false);
        var from = NewestCertain(first: 0);
        for (var step = 0; from >= 0 && step <= (int)CodedScale.Quarter; step++)
        {
            if (At(scale + step) is { } smaller)
                return smaller;
            if (At(scale - step) is { } larger)
                return larger;
        }

        return null;

        ReferencePlan? At(CodedScale near) => near is >= CodedScale.Full and <= CodedScale.Quarter ? From(from, near, mend) : null;
    }

    /// <summary>A keyframe was coded.</summary>
    /// <param name="plan">How; null: as an intra one, which fills every slot.</param>
    /// <param name="scale">Its coded size.</param>
    internal void Stored(ReferencePlan? plan, CodedScale scale)
    {
        _number++;
        _sinceIntra = plan is null ? 0 : _sinceIntra + 1;
        var stored = new Slot { Number = _number, End = long.MaxValue, Scale = scale, Scales = Bit(scale), Shared = true };
        for (var i = 0; i < Slots; i++)
        {
            ref var slot = ref _slots[i];
            if (plan is { Inherit: false })
                slot = slot with { Shared = slot.Certain, End = Math.Min(slot.End, _number) };
            if (plan is null)
                slot = stored;
            else if ((plan.Value.Store >> i & 1) != 0)
                slot = stored with { Scales = slot.Scales | stored.Scales };
        }

        if (plan is { Anchor: not 0 } kept && kept.Store >> 1 != 0)
            (kept.Anchor == Golden ? ref _golden : ref _altRef) = _listed[Last3];
    }

    /// <summary>Nothing is left to predict from.</summary>
    internal void Clear() => Array.Clear(_slots);

    private ReferencePlan? From(int from, CodedScale scale, bool mend)
    {
        if (!InReach(_slots[from], scale))
            return null;
        _listed.AsSpan().Fill((byte)from);
        var predict = 1 << Last;
        List(Golden, _golden);
        List(AltRef, _altRef);
        // libaom fills only slots that are among the references.
        if (!MayBeListed(Newest))
            return null;
        _listed[Last2] = Newest;
        var store = 1 << Newest;
        var anchor = Anchor(scale);
        if ((mend || anchor != 0 || (_sinceIntra + 1) % KeepInterval == 0) && Dispensable() is var kept and > 0)
        {
            _listed[Last3] = (byte)kept;
            store |= 1 << kept;
        }

        return new(scale, _slots[from].Number, predict, store, Inherit: !mend, anchor);

        void List(int reference, int slot)
        {
            if (!(mend ? _slots[slot].Certain : _slots[slot].Shared) || !InReach(_slots[slot], scale))
                return;
            _listed[reference] = (byte)slot;
            predict |= 1 << reference;
        }

        // The slot whose keyframe is missed least; 0: none that this frame may list.
        int Dispensable()
        {
            var (found, certain) = (0, NewestCertain(first: 1));
            for (var i = 1; i < Slots; i++)
            {
                if (i == certain || (i == _golden || i == _altRef) && _slots[i].Shared)
                    continue;
                if (MayBeListed(i) && (found == 0 || _slots[i].Number < _slots[found].Number))
                    found = i;
            }

            return found;
        }

        // A frame may take its size from a reference that has it (5.9.7): the receiver must find the same there. libaom takes the first, but
        // not one that was scaled before.
        bool MayBeListed(int i)
        {
            var (slot, coded) = (_slots[i], SizeOf(scale));
            if (mend ? slot.Certain : slot.Shared)
                return InReach(slot, scale);
            var same = true;
            for (var s = CodedScale.Full; s <= CodedScale.Quarter; s++)
            {
                if ((slot.Scales & Bit(s)) == 0)
                    continue;
                if (!InReach(SizeOf(s), coded))
                    return false;
                same &= SizeOf(s) == coded;
            }

            return same || SizeOf(slot.Scale) != coded;
        }
    }

    /// <summary>The slot from <paramref name="first"/> on with the newest keyframe that the receiver has for certain; -1: none.</summary>
    private int NewestCertain(int first)
    {
        var found = -1;
        for (var i = first; i < Slots; i++)
        {
            if (_slots[i].Certain && (found < 0 || _slots[i].Number > _slots[found].Number))
                found = i;
        }

        return found;
    }

    private int Anchor(CodedScale scale)
    {
        // After a change of size, or a loss, the older references follow soon: near in size, they compress better.
        if (!_slots[_golden].Shared || _slots[_golden].Scale != scale)
            return Golden;
        if (!_slots[_altRef].Shared || _slots[_altRef].Scale != scale)
            return AltRef;
        var next = _sinceIntra + 1;
        return next % AnchorInterval != 0 ? 0 : next / AnchorInterval % 2 == 0 ? Golden : AltRef;
    }

    private bool InReach(in Slot slot, CodedScale scale) => slot.Number > 0 && InReach(SizeOf(slot.Scale), SizeOf(scale));

    // 7.9.2: a reference is at most twice the frame's size; libaom's decoder holds to it in all seven, predicted from or not, while its
    // encoder does not look.
    private static bool InReach(PixelSize reference, PixelSize coded) => 2 * coded.Width >= reference.Width && 2 * coded.Height >= reference.Height;

    private PixelSize SizeOf(CodedScale scale) => scale.Of(size);

    private static int Bit(CodedScale scale) => 1 << (int)scale;

    private record struct Slot
    {
        /// <summary>Of the keyframe in it; 0: empty.</summary>
        internal long Number;

        /// <summary>Number of the keyframe that mended after it: what is older than that needed it.</summary>
        internal long End;

        internal CodedScale Scale;

        /// <summary>Bit for each size that the receiver's keyframe in this slot may have.</summary>
        internal int Scales;

        /// <summary>Whoever can decode the next keyframe of the chain has it.</summary>
        internal bool Shared;

        /// <summary>The receiver has it.</summary>
        internal bool Certain;
    }
}
