namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>
/// One stream and up to five members that read it at their own pace, publish, are confirmed, claim, freeze, die, and lose their feeds, all by one
/// seed. A member's <see cref="ModelMember.Fold"/> is read beside a second one, if a test gives one.
/// </summary>
internal sealed class ModelWorld
{
    private readonly Random _random;
    private readonly int _most;
    private readonly double _faults;
    private readonly double _spurious;
    private int _made;

    public ModelWorld(int seed)
    {
        _random = new Random(seed);
        RingMost = Of(5, 40, 400);
        _most = Of(1, 2, 3, 5);
        _faults = Of(0, 0.002, 0.01, 0.03);
        _spurious = Of(0, 0.002, 0.02);
    }

    public List<ModelMessage> Stream { get; } = [];

    public List<ModelMember> Members { get; } = [];

    /// <summary>What the broker got, in its order.</summary>
    public List<int> Delivered { get; } = [];

    /// <summary>From the first index up to the second one, without it.</summary>
    public List<(int From, int To)> Gaps { get; } = [];

    public int RingMost { get; }

    /// <summary>The watermark that is kept in Redis.</summary>
    public int Kept { get; private set; } = -1;

    /// <summary>Called for each message that a member reads, before its own fold has read it; null: nobody compares.</summary>
    public Action<ModelMember, int, ModelMessage, Func<bool>>? Reading { get; init; }

    private IReadOnlyList<ModelMember> Living => [.. Members.Where(member => member.IsAlive)];

    public void Run(int steps)
    {
        for (var step = 0; step < steps; step++) Step();
    }

    /// <summary>Nobody fails any more, until somebody holds the stream and everything is settled.</summary>
    public ModelMember Calm()
    {
        if (Living.Count == 0) Members.Add(new ModelMember(this, $"m{++_made}"));
        foreach (var member in Living) member.IsFrozen = false;
        for (var round = 0; round < 400; round++)
        {
            foreach (var member in Living)
            {
                Repeat(200, member.ReadOne);
                member.Mark();
                for (var i = 0; i < 50; i++)
                {
                    member.Publish();
                    member.Confirm(_random);
                }
            }

            var holder = Living.FirstOrDefault(member => member.Holds);
            if (round % 7 == 6 && holder is null) Living[_random.Next(Living.Count)].TryClaim();
            if (round > 60 && holder is { IsIdle: true }) break;
        }

        foreach (var member in Living)
        {
            while (member.At < Stream.Count) member.ReadOne();
        }

        return Living.Single(member => member.Holds);
    }

    /// <summary>Events behind the first claim that nobody has delivered, and that are in no gap.</summary>
    public IReadOnlyList<int> Lost()
    {
        var first = Stream.FindIndex(message => message.Kind is ModelKind.Claim or ModelKind.FreshClaim);
        var delivered = Delivered.ToHashSet();
        return [.. Enumerable.Range(0, Stream.Count).Where(at => Stream[at].Kind == ModelKind.Event && at > first && !delivered.Contains(at) && !IsInGap(at))];
    }

    /// <summary>How often an event outside of gaps was delivered for the first time behind a later one.</summary>
    public int Inversions()
    {
        var first = Delivered.Distinct().Where(at => !IsInGap(at)).ToList();
        return first.Zip(first.Skip(1)).Count(pair => pair.Second < pair.First);
    }

    private bool IsInGap(int at) => Gaps.Any(gap => gap.From <= at && at < gap.To);

    private void Step()
    {
        var living = Living;
        if (living.Count == 0 || (living.Count < _most && _random.NextDouble() < 0.02))
        {
            Members.Add(new ModelMember(this, $"m{++_made}"));
            return;
        }

        var member = living[_random.Next(living.Count)];
        if (_random.NextDouble() < _faults)
        {
            Fail(member);
            return;
        }

        if (member.IsFrozen)
        {
            if (_random.NextDouble() < 0.02) member.IsFrozen = false;
            return;
        }

        Act(member, living);
        var holders = Living.Where(one => one.Holds && one.At == Stream.Count).Select(one => one.Name).ToList();
        if (holders.Count > 1) throw new InvalidOperationException($"two holders at one place: {string.Join(' ', holders)}");
    }

    private void Fail(ModelMember member)
    {
        switch (_random.NextDouble())
        {
            case < 0.35:
                member.IsAlive = false;
                break;
            case < 0.6:
                member.IsFrozen = !member.IsFrozen;
                break;
            case < 0.8:
                member.Subscribe();
                break;
            default:
                member.IsFrozen = false;
                break;
        }
    }

    private void Act(ModelMember member, IReadOnlyList<ModelMember> living)
    {
        switch (_random.NextDouble())
        {
            case < 0.30:
                Stream.Add(new ModelMessage(ModelKind.Event));
                break;
            case < 0.70:
                Repeat(Of(1, 1, 5, 30), member.ReadOne);
                break;
            case < 0.80:
                Repeat(Of(1, 8, 20), member.Publish);
                break;
            case < 0.90:
                Repeat(Of(1, 8, 20), () => member.Confirm(_random));
                break;
            case < 0.97:
                member.Mark();
                if (member.Fold.IsKnown && member.Holds) Kept = Math.Max(Kept, member.Fold.Watermark);
                break;
            default:
                var isSilent = member.Fold.Holder is not { } holder || !living.Any(one => one.Name == holder && !one.IsFrozen);
                if (isSilent || _random.NextDouble() < _spurious * 20) member.TryClaim();
                else if (member.Holds && _random.NextDouble() < 0.3) member.Resign();
                break;
        }
    }

    private T Of<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    private static void Repeat(int times, Action action)
    {
        for (var i = 0; i < times; i++) action();
    }
}
