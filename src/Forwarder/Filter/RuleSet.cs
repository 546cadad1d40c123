using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Filter;

/// <summary>All rules in force, in addition to the masks. Immutable; equal by content. <see cref="EventFilter"/> evaluates them.</summary>
public sealed class RuleSet : IEquatable<RuleSet>
{
    public static readonly RuleSet Empty = new([]);

    private readonly EventRule[] _rules;

    public RuleSet(IEnumerable<EventRule> rules)
    {
        _rules = [.. rules.Distinct()];
        Events = _rules.Aggregate(EventClass.None, static (all, rule) => all | rule.Events);
    }

    public IReadOnlyList<EventRule> Rules => _rules;

    /// <summary>All classes that at least one rule wants.</summary>
    public EventClass Events { get; }

    public RuleSet Add(IEnumerable<EventRule> rules) => new([.. _rules, .. rules]);

    public bool Equals(RuleSet? other) => other is not null && _rules.AsSpan().SequenceEqual(other._rules);

    public override bool Equals(object? obj) => Equals(obj as RuleSet);

    public override int GetHashCode() => _rules.Length == 0 ? 0 : _rules[0].GetHashCode();
}
