namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>One member of a <see cref="ModelWorld"/>: it reads, keeps a ring, and delivers while it holds the stream.</summary>
internal sealed class ModelMember
{
    /// <summary>No event is in the ring.</summary>
    private const int Nowhere = 1_000_000_000;

    private readonly ModelWorld _world;
    private List<int> _ring = [];
    private List<int> _out = [];
    private readonly HashSet<int> _inFlight = [];
    private bool _isInStep;
    private int _reach;
    private int? _asked;

    public ModelMember(ModelWorld world, string name)
    {
        (_world, Name) = (world, name);
        Subscribe();
    }

    public string Name { get; }

    public bool IsAlive { get; set; } = true;

    public bool IsFrozen { get; set; }

    /// <summary>The index that it reads next.</summary>
    public int At { get; private set; }

    public bool Holds { get; private set; }

    public bool IsIdle => Holds && _out.Count == 0 && _inFlight.Count == 0 && At == _world.Stream.Count;

    public ModelFold Fold { get; private set; } = new();

    /// <summary>What a test reads beside <see cref="Fold"/>; a new subscription begins another one.</summary>
    public object? Beside { get; set; }

    /// <summary>Hears from here on.</summary>
    public void Subscribe()
    {
        (At, Fold, Beside, Holds, _isInStep, _reach, _asked) = (_world.Stream.Count, new ModelFold(), null, false, false, Nowhere, null);
        (_ring, _out) = ([], []);
        _inFlight.Clear();
    }

    public void ReadOne()
    {
        if (At >= _world.Stream.Count) return;

        var at = At++;
        var message = _world.Stream[at];
        if (message.Kind == ModelKind.Event)
        {
            if (_isInStep) Keep(at);
            return;
        }

        if (!_isInStep) (_isInStep, _reach) = (true, at);
        var hasWon = false;
        if (_world.Reading is { } reading) reading(this, at, message, () => hasWon = Fold.Read(at, message, Name));
        else hasWon = Fold.Read(at, message, Name);
        if (message.Kind == ModelKind.Who && message.Member != Name && Fold.IsKnown)
        {
            Say(new ModelMessage(ModelKind.State, Name) { Re = at, To = message.Member, State = Fold.State });
        }

        if (hasWon) Begin();
        else if (Holds && Fold.Holder != Name) End();
        _ring.RemoveAll(one => one <= Fold.Watermark);
    }

    public void Publish()
    {
        if (!Holds || _out.Count == 0) return;

        _world.Delivered.Add(_out[0]);
        _inFlight.Add(_out[0]);
        _out.RemoveAt(0);
    }

    public void Confirm(Random random)
    {
        if (_inFlight.Count > 0) _inFlight.Remove(_inFlight.ElementAt(random.Next(_inFlight.Count)));
    }

    public void Mark() => Say(new ModelMessage(ModelKind.Mark, Name) { Claim = Holds ? Fold.Claim : null, Watermark = Watermark(), Reach = _isInStep ? _reach : Nowhere });

    public void Resign()
    {
        Say(new ModelMessage(ModelKind.Resign, Name) { Claim = Fold.Claim, Watermark = Watermark() });
    }

    public void TryClaim()
    {
        if (Holds) return;

        if (Fold.IsKnown)
        {
            Say(new ModelMessage(ModelKind.Claim, Name) { Claim = Fold.Claim, Reach = _reach });
        }
        else if (_asked is not { } asked || (At > asked && !Fold.Who.Contains((Name, asked))))
        {
            _asked = _world.Stream.Count;
            Say(new ModelMessage(ModelKind.Who, Name));
        }
        else if (At > asked)
        {
            Say(new ModelMessage(ModelKind.FreshClaim, Name) { Re = asked, Reach = _reach, Watermark = _world.Kept });
        }
    }

    private void Keep(int at)
    {
        _ring.Add(at);
        if (_ring.Count > _world.RingMost)
        {
            _ring.RemoveAt(0);
            _reach = _ring[0];
        }

        if (Holds) _out.Add(at);
    }

    private void Begin()
    {
        var first = Fold.Watermark + 1;
        if (_reach > first) _world.Gaps.Add((first, _reach));
        End();
        (Holds, _out) = (true, [.. _ring.Where(at => at > Fold.Watermark)]);
    }

    private void End()
    {
        (Holds, _out) = (false, []);
        _inFlight.Clear();
    }

    private int Watermark()
    {
        if (!Holds) return Fold.Watermark;

        var pending = _out.Concat(_inFlight).DefaultIfEmpty(At).Min();
        return Math.Max(Fold.Watermark, pending - 1);
    }

    private void Say(ModelMessage message) => _world.Stream.Add(message);
}
