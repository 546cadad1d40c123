namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>
/// The rules of a group as they were first written down and tried: places are indexes into one list, and nothing is kept small. It judges
/// <see cref="KeyEvt.Forwarder.Group.GroupState"/>, so it shares no code with it.
/// </summary>
internal sealed class ModelFold
{
    private const int MarksKept = 12;

    private readonly List<(int At, ModelMessage Message)> _log = [];
    private int? _start;

    public bool IsKnown { get; private set; }

    public (string Member, int At)? Claim { get; private set; }

    public string? Holder { get; private set; }

    public int Watermark { get; private set; } = -1;

    public HashSet<(string Member, int At)> Who { get; private set; } = [];

    public List<(string Member, int Reach)> Marks { get; private set; } = [];

    public ModelState State => new(Claim, Holder, Watermark, [.. Marks], [.. Who]);

    /// <returns>Whether a claim of <paramref name="me"/> has come into force here, and holds.</returns>
    public bool Read(int at, ModelMessage message, string me)
    {
        _start ??= at;
        if (IsKnown) return Apply(at, message, me);

        _log.Add((at, message));
        if (message.Kind == ModelKind.State && message.Re >= _start)
        {
            var state = message.State!;
            (Claim, Holder, Watermark, Marks, Who) = (state.Claim, state.Holder, state.Watermark, [.. state.Marks], [.. state.Who]);
            IsKnown = true;
            var hasWon = false;
            foreach (var (place, heard) in _log.ToList())
            {
                if (place > message.Re) hasWon |= Apply(place, heard, me);
            }

            _log.Clear();
            return hasWon && Holder == me;
        }

        return message.Kind is ModelKind.Who or ModelKind.State or ModelKind.Claim or ModelKind.FreshClaim && Apply(at, message, me);
    }

    private bool Apply(int at, ModelMessage message, string me)
    {
        switch (message.Kind)
        {
            case ModelKind.Who:
                Who.Add((message.Member, at));
                return false;
            case ModelKind.State:
                Who.Remove((message.To!, message.Re));
                return false;
            case ModelKind.Mark:
                if (!IsKnown) return false;
                var isHolder = message.Claim is { } held && held == Claim && message.Member == Holder;
                if (isHolder) Watermark = Math.Max(Watermark, message.Watermark);
                Marks.Add((message.Member, message.Reach));
                if (Marks.Count > MarksKept) Marks.RemoveAt(0);
                return false;
            case ModelKind.Resign:
                if (!IsKnown || Claim != message.Claim || Holder != message.Member) return false;
                (Holder, Watermark) = (null, Math.Max(Watermark, message.Watermark));
                return false;
            default:
                var asked = Who;
                Who = [];
                if (message.Kind == ModelKind.FreshClaim)
                {
                    if (!asked.Contains((message.Member, message.Re))) return false;
                    (Watermark, Marks, IsKnown) = (message.Watermark, [], true);
                    _log.Clear();
                }
                else if (!IsKnown || Claim != message.Claim || (message.Reach > Watermark + 1 && Marks.Any(mark => mark.Member != message.Member && mark.Reach <= Watermark + 1)))
                {
                    return false;
                }

                (Claim, Holder) = ((message.Member, at), message.Member);
                return message.Member == me;
        }
    }
}
