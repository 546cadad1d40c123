// Which changes of this file are possible?
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace KeyEvt.Mutation;

/// <summary>Walks through one file and collects its mutants. Those that do not compile are found later, by <see cref="CompileCheck"/>.</summary>
internal sealed class MutantFinder(string file, SemanticModel model) : CSharpSyntaxWalker
{
    private readonly List<Mutant> _found = [];

    public static IReadOnlyList<Mutant> Find(string file, SemanticModel model)
    {
        var finder = new MutantFinder(file, model);
        finder.Visit(model.SyntaxTree.GetRoot());
        return finder._found;
    }

    public override void Visit(SyntaxNode? node)
    {
        if (node is null || Unchanged.Is(node, model)) return;
        base.Visit(node);
    }

    public override void VisitBinaryExpression(BinaryExpressionSyntax node)
    {
        var kind = node.Kind();
        var isNumber = Constants.HasArithmetic(model.GetTypeInfo(node.Left).Type) && Constants.HasArithmetic(model.GetTypeInfo(node.Right).Type);
        if ((isNumber ? Swaps.Arithmetic(kind) : null) is { } arithmetic)
        {
            AddSwap(node, node.OperatorToken, arithmetic);
        }
        else if (IsBool(node.Left) && kind is SyntaxKind.BitwiseAndExpression or SyntaxKind.BitwiseOrExpression)
        {
            AddSwap(node, node.OperatorToken, Swaps.Arithmetic(kind)!);
        }
        else if (Swaps.Condition(kind) is { } condition)
        {
            AddSwap(node, node.OperatorToken, condition);
        }
        else if (kind == SyntaxKind.CoalesceExpression && node.Right is not ThrowExpressionSyntax)
        {
            AddExpression(node, node.Right.ToString());
        }

        base.VisitBinaryExpression(node);
    }

    public override void VisitPrefixUnaryExpression(PrefixUnaryExpressionSyntax node)
    {
        switch (node.Kind())
        {
            case SyntaxKind.LogicalNotExpression or SyntaxKind.UnaryMinusExpression or SyntaxKind.BitwiseNotExpression:
                AddExpression(node, node.Operand.ToString());
                break;
            case SyntaxKind.PreIncrementExpression or SyntaxKind.PreDecrementExpression when IsValueUsed(node):
                AddExpression(node, (node.OperatorToken.IsKind(SyntaxKind.PlusPlusToken) ? "--" : "++") + node.Operand);
                break;
        }

        base.VisitPrefixUnaryExpression(node);
    }

    public override void VisitPostfixUnaryExpression(PostfixUnaryExpressionSyntax node)
    {
        if (node.Kind() is SyntaxKind.PostIncrementExpression or SyntaxKind.PostDecrementExpression && IsValueUsed(node))
        {
            AddExpression(node, node.Operand + (node.OperatorToken.IsKind(SyntaxKind.PlusPlusToken) ? "--" : "++"));
        }

        base.VisitPostfixUnaryExpression(node);
    }

    public override void VisitLiteralExpression(LiteralExpressionSyntax node)
    {
        if (node.Token.Value is bool value) AddExpression(node, value ? "false" : "true");
        else if (Constants.Neighbour(node.Token.Value) is { } neighbour) AddExpression(node, neighbour, CastOf(node));
    }

    public override void VisitIdentifierName(IdentifierNameSyntax node)
    {
        ExpressionSyntax use = node.Parent is MemberAccessExpressionSyntax access && access.Name == node ? access : node;
        if (node.Parent is NameColonSyntax or NameEqualsSyntax) return;
        var (value, isOurs) = model.GetSymbolInfo(node).Symbol switch
        {
            IFieldSymbol { IsConst: true, ContainingType.TypeKind: not TypeKind.Enum } field => (field.ConstantValue, !field.DeclaringSyntaxReferences.IsEmpty),
            ILocalSymbol { IsConst: true } local => (local.ConstantValue, true),
            _ => (null, false),
        };
        if (isOurs && Constants.Neighbour(value) is { } neighbour) AddExpression(use, neighbour, CastOf(use));
    }

    public override void VisitIsPatternExpression(IsPatternExpressionSyntax node)
    {
        foreach (var token in node.Pattern.DescendantTokens())
        {
            if (Swaps.Pattern(token.Kind()) is { } swap && token.Parent is RelationalPatternSyntax or BinaryPatternSyntax)
            {
                AddSwap(node, token, swap);
            }
        }

        if (!IsCondition(node)) AddNegation(node);
        base.VisitIsPatternExpression(node);
    }

    public override void VisitInvocationExpression(InvocationExpressionSyntax node)
    {
        var name = node.Expression switch
        {
            MemberAccessExpressionSyntax access => access.Name,
            MemberBindingExpressionSyntax binding => binding.Name,
            _ => null,
        };
        if (name is not null && Swaps.Method(name.Identifier.Text) is { } swap && model.GetSymbolInfo(node).Symbol is { DeclaringSyntaxReferences.IsEmpty: true } && node.ArgumentList.Arguments.All(argument => argument.RefKindKeyword.IsKind(SyntaxKind.None) || name.Identifier.Text is "Increment" or "Decrement"))
        {
            AddSwap(node, name.Identifier, swap);
        }

        base.VisitInvocationExpression(node);
    }

    public override void VisitConditionalExpression(ConditionalExpressionSyntax node)
    {
        AddNegation(node.Condition);
        base.VisitConditionalExpression(node);
    }

    public override void VisitIfStatement(IfStatementSyntax node)
    {
        AddNegation(node.Condition);
        base.VisitIfStatement(node);
    }

    public override void VisitWhileStatement(WhileStatementSyntax node)
    {
        AddNegation(node.Condition);
        base.VisitWhileStatement(node);
    }

    public override void VisitDoStatement(DoStatementSyntax node)
    {
        AddNegation(node.Condition);
        base.VisitDoStatement(node);
    }

    public override void VisitReturnStatement(ReturnStatementSyntax node)
    {
        if (node.Expression is { } value && IsBool(value)) AddNegation(value);
        base.VisitReturnStatement(node);
    }

    public override void VisitArrowExpressionClause(ArrowExpressionClauseSyntax node)
    {
        if (IsBool(node.Expression)) AddNegation(node.Expression);
        base.VisitArrowExpressionClause(node);
    }

    public override void VisitExpressionStatement(ExpressionStatementSyntax node)
    {
        switch (node.Expression)
        {
            case InvocationExpressionSyntax call when Unchanged.Is(call, model):
                return;
            case InvocationExpressionSyntax or AwaitExpressionSyntax or ConditionalAccessExpressionSyntax when model.GetTypeInfo(node.Expression).Type is null or { SpecialType: SpecialType.System_Void }:
                AddStatement(node, "");
                break;
            case AssignmentExpressionSyntax assignment when Swaps.Assignment(assignment.Kind()) is { } swap && Constants.HasArithmetic(model.GetTypeInfo(assignment.Left).Type):
                AddStatement(node, $"{assignment.Left} {swap} {assignment.Right};");
                break;
            case AssignmentExpressionSyntax assignment when model.GetSymbolInfo(assignment.Left).Symbol is IFieldSymbol or IPropertySymbol or IEventSymbol:
                AddStatement(node, "");
                break;
            case PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PostIncrementExpression or (int)SyntaxKind.PostDecrementExpression } step:
                AddStatement(node, step.Operand + (step.OperatorToken.IsKind(SyntaxKind.PlusPlusToken) ? "--;" : "++;"));
                break;
        }

        base.VisitExpressionStatement(node);
    }

    /// <summary>Whether the negation of this expression is added where the statement around it is visited.</summary>
    private static bool IsCondition(ExpressionSyntax node) =>
        node.Parent is IfStatementSyntax or WhileStatementSyntax or DoStatementSyntax or ReturnStatementSyntax or ArrowExpressionClauseSyntax
        || (node.Parent is ConditionalExpressionSyntax conditional && conditional.Condition == node);

    private static bool IsValueUsed(ExpressionSyntax node) => node.Parent is not ExpressionStatementSyntax and not ForStatementSyntax;

    private bool IsBool(ExpressionSyntax node) => model.GetTypeInfo(node).Type?.SpecialType == SpecialType.System_Boolean;

    /// <summary>A constant turns into smaller types by itself, the switch in its place does not.</summary>
    private string? CastOf(ExpressionSyntax node)
    {
        var info = model.GetTypeInfo(node);
        return info.ConvertedType is { } wanted && !SymbolEqualityComparer.Default.Equals(wanted, info.Type) && (wanted.IsValueType || wanted.TypeKind == TypeKind.Enum)
            ? wanted.ToMinimalDisplayString(model, node.SpanStart)
            : null;
    }

    private void AddSwap(ExpressionSyntax node, SyntaxToken token, string swap)
    {
        var text = node.ToString();
        var start = token.SpanStart - node.SpanStart;
        AddExpression(node, string.Concat(text.AsSpan(0, start), swap, text.AsSpan(start + token.Span.Length)), model.GetConstantValue(node).HasValue ? CastOf(node) : null);
    }

    private void AddExpression(ExpressionSyntax node, string mutated, string? cast = null)
    {
        // The text stands there twice, and a variable cannot be declared twice.
        if (node.DescendantNodes().Any(inner => inner is SingleVariableDesignationSyntax)) return;
        Add(node, MutantForm.Expression, mutated, cast);
    }

    private void AddNegation(ExpressionSyntax node)
    {
        // Those have a change of their own that is the same.
        if (node.Kind() is SyntaxKind.EqualsExpression or SyntaxKind.NotEqualsExpression or SyntaxKind.LogicalNotExpression or SyntaxKind.TrueLiteralExpression or SyntaxKind.FalseLiteralExpression)
        {
            return;
        }

        Add(node, MutantForm.Negation, $"!({node})", null);
    }

    private void AddStatement(ExpressionStatementSyntax node, string mutated) => Add(node, MutantForm.Statement, mutated, null);

    private void Add(SyntaxNode node, MutantForm form, string mutated, string? cast) =>
        _found.Add(new Mutant(file, model.SyntaxTree.GetLineSpan(TextSpan.FromBounds(node.SpanStart, node.SpanStart)).StartLinePosition.Line + 1, node.Span, form, node.ToString(), mutated, cast));
}
