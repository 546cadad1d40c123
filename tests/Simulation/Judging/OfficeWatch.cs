using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Group;
using KeyEvt.Simulation.Redis;

namespace KeyEvt.Simulation.Judging;

/// <summary>
/// Who is the holder of a node's stream at each of its places? Somebody who hears every message of the group computes it, and so knows of each publish whether it was the
/// holder's: of an event at a place whose time in office has not ended before it.
/// </summary>
internal sealed class OfficeWatch(string group)
{
    private readonly GroupEnvelope _envelope = new(group, new MessageSeal(null));
    private readonly List<Office> _offices = [];
    private GroupState _state = new();
    private string _run = "";
    private int _knownFrom = int.MaxValue;

    /// <param name="From">The index of the first write behind the claim.</param>
    private sealed record Office(string Member, int From)
    {
        /// <summary>The index of the first write behind its end.</summary>
        public int To { get; set; } = int.MaxValue;
    }

    /// <summary>Called when a member begins anew, with whether it knows how far an earlier holder had come.</summary>
    public Action<string, bool> Anew { get; init; } = static (_, _) => { };

    /// <summary>How many times in office there have been.</summary>
    public int Count => _offices.Count;

    /// <summary>The member that holds office now; null: none.</summary>
    public string? Holder => _offices is [.., { To: int.MaxValue } last] ? last.Member : null;

    /// <summary>A message at the place behind so many writes.</summary>
    public void Heard(VirtualNode node, string text, int writes)
    {
        if (node.RunId != _run)
        {
            End(writes);
            (_run, _state, _knownFrom) = (node.RunId, new GroupState(), int.MaxValue);
        }

        if (_envelope.Read(Encoding.UTF8.GetBytes(text), ulong.Parse(_run.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)) is not { } message)
        {
            return;
        }

        var (holder, claim) = (_state.Holder, _state.Claim);
        if (_state.Read(message) == message.Id && message is GroupMessage.FreshClaim fresh) Anew(fresh.Member, fresh.Kept != default);
        if (_state.IsKnown) _knownFrom = Math.Min(_knownFrom, writes);
        if (holder == _state.Holder && claim == _state.Claim) return;

        End(writes);
        if (_state.Holder is { } now) _offices.Add(new Office(now, writes));
    }

    /// <summary>Whether this program may publish the event of this write.</summary>
    public bool MayPublish(string member, SimulatedWrite write) =>
        write.Index < _knownFrom || _offices.Exists(office => office.Member.StartsWith(member + "-", StringComparison.Ordinal) && office.To > write.Index);

    private void End(int writes)
    {
        if (_offices is [.., { To: int.MaxValue } last]) last.To = writes;
    }
}
