using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Av1;

/// <summary>
/// Which keyframe is in which slot, and at what size: decides what the next one can be predicted from. The rules keep clear of
/// what libaom gets wrong; each stands for a failure seen with libaom 3.6.
/// </summary>
internal sealed class ReferenceState
{
    // Alternate anchors every fourth keyframe: 0.4 % more bytes than libaom's own seven references, 20 % less time.
    private const int AnchorInterval = 4;

    private readonly Slot[] _slots = new Slot[3];
    private PixelSize _intra;
    private long _number;
    private long _sinceIntra;

    /// <summary>What to predict from and where to store; null where the keyframe must be intra.</summary>
    internal ReferencePlan? Plan(ReferencePlan? wanted, PixelSize coded)
    {
        // AV1, 7.9.2: a reference is at most twice the frame's size; libaom's decoder holds to it in every slot, used or not, while
        // its encoder does not look. Slots that we never use keep the intra frame.
        if (!InReach(_intra, coded) || !InReach(_slots[0].Size, coded) || !InReach(_slots[1].Size, coded) || !InReach(_slots[2].Size, coded))
            return null;

        var plan = wanted ?? new(ReferenceSlots.All, AutomaticStore(coded));
        plan = plan with { Predict = WithTwins(plan.Predict) };
        // What may be predicted from is what the receiver has: whatever it missed in that slot before no longer matters.
        for (var i = 0; i < 3; i++)
            _slots[i].OneSize |= Has(plan.Predict, i);
        if (plan.Predict == ReferenceSlots.All)
            return plan;
        // Good quality asserts that LAST or ALTREF may be predicted from.
        if ((plan.Predict & (ReferenceSlots.Chain | ReferenceSlots.Anchor)) == 0)
            return null;
        // A frame inherits its size from any slot, also from one that the receiver has an older picture in.
        foreach (var slot in _slots)
        {
            if (slot.Size != coded || !slot.OneSize)
                return null;
        }

        return plan;
    }

    /// <summary>A keyframe was coded.</summary>
    internal void Stored(ReferenceSlots store, PixelSize coded, bool intra)
    {
        _number++;
        _sinceIntra = intra ? 0 : _sinceIntra + 1;
        if (intra)
            _intra = coded;
        for (var i = 0; i < 3; i++)
        {
            if (intra || Has(store, i))
                _slots[i] = new() { Size = coded, Number = _number, OneSize = intra || (_slots[i].OneSize && _slots[i].Size == coded) };
        }
    }

    /// <summary>Nothing is left to predict from.</summary>
    internal void Clear()
    {
        Array.Clear(_slots);
        _intra = default;
    }

    private static bool Has(ReferenceSlots slots, int i) => ((int)slots >> i & 1) != 0;

    private static bool InReach(PixelSize reference, PixelSize coded) =>
        reference.Width > 0 && 2 * coded.Width >= reference.Width && 2 * coded.Height >= reference.Height;

    // libaom drops a reference that holds the same picture as an earlier one, even where the earlier one is not allowed:
    // slots with the same picture go together.
    private ReferenceSlots WithTwins(ReferenceSlots predict)
    {
        var all = predict;
        for (var i = 0; i < 3; i++)
        {
            for (var j = 0; j < 3; j++)
            {
                if (Has(predict, i) && _slots[i].Number == _slots[j].Number)
                    all |= (ReferenceSlots)(1 << j);
            }
        }

        return all;
    }

    private ReferenceSlots AutomaticStore(PixelSize coded)
    {
        // After a change of size the older slots follow soon, so that the next change has references near in size.
        if (_slots[2].Size != coded)
            return ReferenceSlots.Chain | ReferenceSlots.Spare;
        if (_slots[1].Size != coded)
            return ReferenceSlots.Chain | ReferenceSlots.Anchor;
        var next = _sinceIntra + 1;
        if (next % AnchorInterval != 0)
            return ReferenceSlots.Chain;
        return ReferenceSlots.Chain | (next / AnchorInterval % 2 == 0 ? ReferenceSlots.Spare : ReferenceSlots.Anchor);
    }

    private struct Slot
    {
        internal PixelSize Size;
        internal long Number;

        /// <summary>Every picture that the receiver may still have here is of <see cref="Size"/>.</summary>
        internal bool OneSize;
    }
}
